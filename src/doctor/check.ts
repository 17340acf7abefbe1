/** One finding of `dpcap doctor`, and how findings are printed. */
import { alignRows } from '../text/table.js';

export type CheckStatus = 'ok' | 'warn' | 'fail';

/** A finding. */
export interface Check {
  /** What was looked at, in one or two words. */
  name: string;
  status: CheckStatus;
  /** What was found. */
  detail: string;
  /** What to do about it; absent when it is in order. */
  remedy?: string;
}

/** Builds a finding that is in order. */
export function ok(name: string, detail: string): Check {
  return { name, status: 'ok', detail };
}

/** Builds a finding that may matter. */
export function warn(name: string, detail: string, remedy: string): Check {
  return { name, status: 'warn', detail, remedy };
}

/** Builds a finding that keeps captures from working. */
export function fail(name: string, detail: string, remedy: string): Check {
  return { name, status: 'fail', detail, remedy };
}

/** The list for people, with a last line that sums it up. */
export function formatChecks(checks: readonly Check[]): string {
  const rows = alignRows(checks.map(({ status, name, detail }) => [status, name, detail]));
  const lines = checks.flatMap(({ remedy }, i) => (remedy ? [rows[i], `      ${remedy}`] : [rows[i]]));
  const count = (status: CheckStatus): number => checks.filter((check) => check.status === status).length;
  return [...lines, `${count('ok')} ok, ${count('warn')} warn, ${count('fail')} failed`].join('\n');
}

/** The exit code: 0 when nothing failed. */
export function exitCodeOf(checks: readonly Check[]): number {
  return checks.some((check) => check.status === 'fail') ? 1 : 0;
}
