/** Words for test results: one line a file, the details of failures, the closing lines. */
import type { Failure, FileResult } from './tap-file.js';

const DIAGNOSTICS = ['diff', 'stack', 'source'];
const OUTPUT_LINES_SHOWN = 60;

/** One line about a finished file. */
export function fileLine(result: FileResult): string {
  const verdict = result.failures.length > 0 ? 'FAIL' : result.passed === 0 ? 'skip' : 'ok  ';
  const counts = [`${result.passed} passed`];
  if (result.failures.length > 0) counts.push(`${result.failures.length} failed`);
  if (result.skips.length > 0) counts.push(`${result.skips.length} skipped`);
  return `${verdict} ${result.file.padEnd(36)} ${counts.join(', ')} (${(result.durationMs / 1000).toFixed(1)} s)`;
}

/** What went wrong in a file, indented; empty when nothing did. */
export function failureText(result: FileResult): string {
  if (result.failures.length === 0) return '';
  const lines = result.failures.flatMap((failure) => [`  not ok: ${failure.name}`, ...diagnostics(failure)]);
  const output = result.output.trimEnd();
  if (output) {
    const all = output.split('\n');
    const shown = all.slice(-OUTPUT_LINES_SHOWN);
    lines.push(`  output${shown.length < all.length ? ` (last ${shown.length} lines)` : ''}:`, ...indent(shown, 4));
  }
  return lines.join('\n');
}

/** Skips of all files, grouped by reason, so that one missing tool reads as one line. */
export function skipText(results: FileResult[]): string {
  const byReason = new Map<string, string[]>();
  for (const { file, skips } of results) {
    for (const { name, reason } of skips) {
      byReason.set(reason, [...(byReason.get(reason) ?? []), `${file}: ${name}`]);
    }
  }
  return [...byReason].map(([reason, names]) => [`skipped: ${reason}`, ...indent(names, 2)].join('\n')).join('\n');
}

/** The last line of a run. */
export function summaryLine(results: FileResult[]): string {
  const count = (list: (result: FileResult) => number): number => results.reduce((sum, r) => sum + list(r), 0);
  const passed = count((r) => r.passed);
  const failed = count((r) => r.failures.length);
  const skipped = count((r) => r.skips.length);
  return `${passed} passed, ${failed} failed, ${skipped} skipped`;
}

function diagnostics(failure: Failure): string[] {
  if (typeof failure.diag !== 'object' || failure.diag === null) return [];
  const diag = failure.diag as Record<string, unknown>;
  const lines: string[] = [];
  const at = diag.at as { fileName?: string; lineNumber?: number } | undefined;
  if (at?.fileName) lines.push(`at ${at.fileName}:${at.lineNumber ?? '?'}`);
  for (const [key, value] of Object.entries(diag)) {
    if (key === 'at' || key === 'compare' || (key === 'source' && diag.diff)) continue;
    const text = typeof value === 'string' ? value.trimEnd() : JSON.stringify(value);
    const block = DIAGNOSTICS.includes(key) || text.includes('\n');
    lines.push(...(block ? [`${key}:`, ...indent(text.split('\n'), 2)] : [`${key}: ${text}`]));
  }
  return indent(lines, 4);
}

function indent(lines: string[], spaces: number): string[] {
  return lines.map((line) => ' '.repeat(spaces) + line);
}
