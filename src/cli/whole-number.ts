/** Whole numbers as people write them after an option. */
import { UsageError } from '../errors.js';

/**
 * Reads a number from `min` to `max`.
 * @param unit what is counted, for the message
 * @throws UsageError with both ends of the range
 */
export function checkInteger(option: string, text: string, min: number, max: number, unit = ''): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= min && value <= max) return value;
  throw new UsageError(
    `${option}: ${text || 'nothing'} is not a whole number from ${min} to ${max}${unit && ` ${unit}`}`,
    {
      subject: text,
    },
  );
}
