/** The conversions of strftime(3) that names of files are made with, in local time as tcpdump -G has it. Pure. */
import { UsageError } from '../../errors.js';

const two = (value: number): string => String(value).padStart(2, '0');

const DAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'];
const MONTHS = [
  'January',
  'February',
  'March',
  'April',
  'May',
  'June',
  'July',
  'August',
  'September',
  'October',
  'November',
  'December',
];

/** As in the C locale. A conversion whose text may hold a slash (%D) is none that a name can be made with. */
const CONVERSIONS: Readonly<Record<string, (at: Date) => string>> = {
  Y: (at) => String(at.getFullYear()),
  C: (at) => two(Math.floor(at.getFullYear() / 100)),
  y: (at) => two(at.getFullYear() % 100),
  m: (at) => two(at.getMonth() + 1),
  d: (at) => two(at.getDate()),
  e: (at) => String(at.getDate()).padStart(2, ' '),
  j: (at) => String(dayOfYear(at)).padStart(3, '0'),
  H: (at) => two(at.getHours()),
  I: (at) => two(at.getHours() % 12 || 12),
  p: (at) => (at.getHours() < 12 ? 'AM' : 'PM'),
  M: (at) => two(at.getMinutes()),
  S: (at) => two(at.getSeconds()),
  s: (at) => String(Math.floor(at.getTime() / 1000)),
  F: (at) => strftime('%Y-%m-%d', at),
  T: (at) => strftime('%H:%M:%S', at),
  R: (at) => strftime('%H:%M', at),
  a: (at) => weekday(at).slice(0, 3),
  A: weekday,
  u: (at) => String(at.getDay() || 7),
  w: (at) => String(at.getDay()),
  b: (at) => month(at).slice(0, 3),
  h: (at) => month(at).slice(0, 3),
  B: month,
  U: (at) => two(Math.floor((dayOfYear(at) + 6 - at.getDay()) / 7)),
  W: (at) => two(Math.floor((dayOfYear(at) + 6 - ((at.getDay() + 6) % 7)) / 7)),
  z: offset,
  '%': () => '%',
};

function weekday(at: Date): string {
  return DAYS[at.getDay()] ?? '';
}

function month(at: Date): string {
  return MONTHS[at.getMonth()] ?? '';
}

/** From 1. A day is counted by its date: one of them has 23 or 25 hours. */
function dayOfYear(at: Date): number {
  const days = Date.UTC(at.getFullYear(), at.getMonth(), at.getDate()) - Date.UTC(at.getFullYear(), 0, 1);
  return days / 86_400_000 + 1;
}

/** "+0200" */
function offset(at: Date): string {
  const minutes = -at.getTimezoneOffset();
  const amount = Math.abs(minutes);
  return `${minutes < 0 ? '-' : '+'}${two(Math.floor(amount / 60))}${two(amount % 60)}`;
}

/** Formats a time. The format must have passed {@link checkTimeFormat}. */
export function strftime(format: string, at: Date): string {
  return format.replace(/%(.)/gs, (text, letter: string) => CONVERSIONS[letter]?.(at) ?? text);
}

/** @throws UsageError for a conversion that is not known */
export function checkTimeFormat(option: string, format: string): void {
  for (const [text, letter] of format.matchAll(/%(.?)/gs)) {
    if (letter !== undefined && Object.hasOwn(CONVERSIONS, letter)) continue;
    throw new UsageError(`${option}: the conversion ${text} of strftime is not known, or cannot be in a name`, {
      subject: format,
      hint: `use %${Object.keys(CONVERSIONS).join(' %')}`,
    });
  }
}
