/** What a run of the tests found with one release of DPDK, and the table of several such runs. Pure. */
import type { FileResult } from './tap-file.js';

/** Where tests ran. */
export interface Place {
  /** The release of DPDK, e.g. "24.11.8". */
  dpdk: string;
  /** The system that it came from, e.g. "Debian GNU/Linux 13 (trixie)". */
  system: string;
  node: string;
}

/** One test file's result. */
export interface TestResult {
  file: string;
  passed: number;
  failed: string[];
  skipped: number;
}

/** A run, as it is kept in a file. */
export interface RunResults extends Place {
  tests: TestResult[];
}

/** What came of the same cases with several tools. */
export interface PeerResults extends Place {
  tools: string[];
  /** `found` has an element for each tool. */
  cases: { name: string; found: string[] }[];
}

/** The results of a run, by name of the test file. */
export function runResults(place: Place, results: FileResult[]): RunResults {
  const tests = results.map(({ file, passed, failures, skips }) => ({
    file,
    passed,
    failed: failures.map(({ name }) => name),
    skipped: skips.length,
  }));
  return { ...place, tests: tests.sort((a, b) => (a.file < b.file ? -1 : 1)) };
}

/** What an earlier run in the same place found, with what some of its files found when they ran again. */
export function runAgain(before: RunResults, again: RunResults): RunResults {
  const { tests, ...place } = again;
  const isSame = before.dpdk === place.dpdk && before.system === place.system && before.node === place.node;
  const others = isSame ? before.tests.filter(({ file }) => !tests.some((one) => one.file === file)) : [];
  return { ...place, tests: [...others, ...tests].sort((a, b) => (a.file < b.file ? -1 : 1)) };
}

/** A table in Markdown: a row for each test, a column for each run, and below it the names of what failed. */
export function releaseTable(runs: RunResults[]): string {
  const files = [...new Set(runs.flatMap(({ tests }) => tests.map(({ file }) => file)))].sort();
  const rows = files.map((file) => [`\`${file}\``, ...runs.map((run) => cell(run, file))]);
  const table = markdown(['test', ...runs.map(({ dpdk, system }) => `DPDK ${dpdk}, ${system}`)], rows);
  const failed = runs.flatMap(({ dpdk, tests }) =>
    tests.flatMap(({ file, failed: names }) => names.map((name) => `* DPDK ${dpdk}, \`${file}\`: ${name}`)),
  );
  return [...table, ...(failed.length > 0 ? ['', 'What failed:', '', ...failed] : [])].join('\n');
}

/** A table in Markdown for each run: a row for each case, a column for each tool. */
export function peerTables(runs: PeerResults[]): string {
  return runs
    .map(({ dpdk, system, tools, cases }) => {
      const rows = cases.map(({ name, found }) => [name, ...found]);
      return [`DPDK ${dpdk}, ${system}:`, '', ...markdown(['case', ...tools], rows)].join('\n');
    })
    .join('\n\n');
}

function markdown(heads: string[], rows: string[][]): string[] {
  return [heads, heads.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`);
}

function cell({ tests }: RunResults, file: string): string {
  const found = tests.find((one) => one.file === file);
  if (!found) return 'not run';
  const { passed, failed, skipped } = found;
  if (passed === 0 && failed.length === 0) return 'skipped';
  const counts = [`${passed} passed`];
  if (failed.length > 0) counts.push(`**${failed.length} failed**`);
  if (skipped > 0) counts.push(`${skipped} skipped`);
  return counts.join(', ');
}
