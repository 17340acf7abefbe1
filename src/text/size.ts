/** Amounts of memory as people write them: `256M`, `1G`, `65536`. One grammar for all options. */
import { UsageError } from '../errors.js';

const UNITS = { '': 1, K: 2 ** 10, M: 2 ** 20, G: 2 ** 30 } as const;
type Unit = keyof typeof UNITS;

/**
 * Parses an amount into bytes.
 * @throws UsageError with both ends of the range
 */
export function parseSize(option: string, text: string, { min, max }: { min: number; max: number }): number {
  const [, figure, unit = ''] = /^(\d{1,15})([KMG])?$/.exec(text) ?? [];
  const bytes = Number(figure) * UNITS[unit as Unit];
  if (bytes >= min && bytes <= max) return bytes;
  throw new UsageError(
    `${option}: ${text || 'nothing'} is no amount of memory from ${sizeText(min)} to ${sizeText(max)}`,
    {
      subject: text,
      hint: 'give bytes, or a figure with K, M or G: 64M, 256M, 2G',
    },
  );
}

/** Formats an amount in the largest unit that leaves a whole number: "256M", "1500K". */
export function sizeText(bytes: number): string {
  const unit = (['G', 'M', 'K'] as const).find((one) => bytes >= UNITS[one] && bytes % UNITS[one] === 0) ?? '';
  return `${bytes / UNITS[unit]}${unit}`;
}

/** Formats an amount for a table, rounded: "256.3 MiB". */
export function roundedSize(bytes: number): string {
  if (bytes >= UNITS.G) return `${(bytes / UNITS.G).toFixed(1)} GiB`;
  return `${(bytes / UNITS.M).toFixed(1)} MiB`;
}
