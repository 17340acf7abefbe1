/** Durations as people write them: `90`, `500ms`, `90s`, `1.5m`, `2h`, `30d`. One grammar for all options. */
import { UsageError } from '../errors.js';

const UNITS = { ms: 1, s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 } as const;
type Unit = keyof typeof UNITS;

/** The longest duration: a longer one is taken for a typing error. */
const LONGEST_MS = 3650 * UNITS.d;

export interface DurationRange {
  /** Milliseconds; default: 1. */
  min?: number;
  /** Milliseconds; default: ten years. */
  max?: number;
}

/**
 * Parses a duration into milliseconds; without a unit the figure is in seconds.
 * @throws UsageError with both ends of the range
 */
export function parseDuration(option: string, text: string, { min = 1, max = LONGEST_MS }: DurationRange = {}): number {
  const [, figure, unit = 's'] = /^(\d+\.?\d*|\.\d+)(ms|s|m|h|d)?$/.exec(text) ?? [];
  const ms = Math.round(Number(figure) * UNITS[unit as Unit]);
  if (ms >= min && ms <= max) return ms;
  throw new UsageError(
    `${option}: ${text || 'nothing'} is no duration from ${durationText(min)} to ${durationText(max)}`,
    {
      subject: text,
      hint: 'give seconds, or a figure with ms, s, m, h or d: 90, 500ms, 30s, 5m, 2h, 30d',
    },
  );
}

/** Formats a duration in the largest unit that leaves a whole number: "30 d", "90 s", "1500 ms". */
export function durationText(ms: number): string {
  const unit = (Object.keys(UNITS) as Unit[]).findLast((one) => ms >= UNITS[one] && ms % UNITS[one] === 0) ?? 'ms';
  return `${ms / UNITS[unit]} ${unit}`;
}
