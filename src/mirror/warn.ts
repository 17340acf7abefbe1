/** Notes about a mirror on standard error. */
import { diagnostics } from '../system/diagnostics.js';

export function warn(notes: readonly string[]): void {
  for (const note of notes) diagnostics.write(`dpcap: note: ${note}\n`);
}
