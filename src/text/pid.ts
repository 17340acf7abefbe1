/** Process ids, as they are typed. */
import { UsageError } from '../errors.js';

/** @throws UsageError */
export function parsePid(text: string): number {
  if (/^[1-9]\d{0,8}$/.test(text)) return Number(text);
  throw new UsageError(`${text} is not a process id`, { subject: text, hint: 'dpcap list shows the processes' });
}
