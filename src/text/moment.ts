/** Points in time as people write them: `2026-11-30T21:04:05`, `21:04`, `@1796072645`. */
import { UsageError } from '../errors.js';

const DAY_MS = 86_400_000;

/**
 * Parses a point in time into milliseconds since 1970. A time of day without a date is the last one before `nowMs`; a time
 * without a zone is local.
 * @throws UsageError
 */
export function parseMoment(option: string, text: string, nowMs: number): number {
  const seconds = /^@(\d{1,10}(?:\.\d{1,9})?)$/.exec(text)?.[1];
  if (seconds !== undefined) return Math.round(Number(seconds) * 1000);
  const clock = /^(\d{2}):(\d{2})(?::(\d{2}(?:\.\d{1,3})?))?$/.exec(text);
  const ms = clock
    ? lastAt(clock, nowMs)
    : /^\d{4}-\d{2}-\d{2}/.test(text)
      ? Date.parse(text.replace(' ', 'T'))
      : Number.NaN;
  if (Number.isFinite(ms) && ms >= 0) return ms;
  throw new UsageError(`${option}: ${text || 'nothing'} is no point in time`, {
    subject: text,
    hint: 'give 21:04:05, 2026-11-30T21:04:05, with Z for UTC, or @SECONDS since 1970',
  });
}

function lastAt([, hours, minutes, seconds = '0']: RegExpExecArray, nowMs: number): number {
  const at = new Date(nowMs);
  if (Number(hours) > 23 || Number(minutes) > 59 || Number(seconds) >= 60) return Number.NaN;
  at.setHours(Number(hours), Number(minutes), 0, Math.round(Number(seconds) * 1000));
  return at.getTime() <= nowMs ? at.getTime() : at.getTime() - DAY_MS;
}

/** Formats nanoseconds since 1970 as a local time with microseconds: "2026-11-30 21:04:05.123456". */
export function momentText(ns: bigint): string {
  const date = new Date(Number(ns / 1_000_000n));
  const two = (value: number): string => String(value).padStart(2, '0');
  const day = `${date.getFullYear()}-${two(date.getMonth() + 1)}-${two(date.getDate())}`;
  const micros = String((ns / 1000n) % 1_000_000n).padStart(6, '0');
  return `${day} ${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}.${micros}`;
}

/** Formats a span between two such times: "30.4 s". */
export function spanText(ns: bigint): string {
  return `${(Number(ns) / 1e9).toFixed(ns < 1_000_000_000n ? 3 : 1)} s`;
}
