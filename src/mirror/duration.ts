/** How long, as people write it: 90, 90s, 5m, 2h. */
import { UsageError } from '../errors.js';

const UNIT_MS: Record<string, number> = { '': 1000, s: 1000, m: 60_000, h: 3_600_000 };
/** A mirror that is forgotten for longer is no help to anybody. */
const MAX_MS = 7 * 24 * 3_600_000;

/**
 * Milliseconds.
 * @throws UsageError
 */
export function parseDuration(option: string, text: string): number {
  const [, number, unit = ''] = /^(\d*\.?\d+)([smh]?)$/.exec(text) ?? [];
  const ms = Math.round(Number(number) * (UNIT_MS[unit] ?? Number.NaN));
  if (ms >= 1 && ms <= MAX_MS) return ms;
  throw new UsageError(`${option}: ${JSON.stringify(text)} is no duration up to 7 days`, {
    subject: text,
    hint: 'write it like 30s, 5m or 2h',
  });
}
