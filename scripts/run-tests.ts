/**
 * The test runner: `node dist/scripts/run-tests.js [--unit|--live] [--time-limit SECONDS] [--results FILE] [--with COMMAND]
 * [FILTER...]`. COMMAND, words with spaces between them, runs each file in place of this node. Unit files run side by side,
 * live files one after another. The last line is `N passed, N failed, N skipped`.
 */
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { clearLeftovers, lastingLeftovers } from '../test/harness/leftovers.js';
import { discoverTests } from './testing/discover.js';
import { place } from './testing/place.js';
import { failureText, fileLine, skipText, summaryLine } from './testing/report.js';
import { type RunResults, runAgain, runResults } from './testing/results.js';
import { type FileResult, type RunOptions, runTapFile, signalRunning } from './testing/tap-file.js';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const UNIT_LIMIT_S = 900; // the native tests are built within it, under sanitizers
const LIVE_LIMIT_S = 720; // that of another release makes its chroot within it
const UNIT_FILES_AT_ONCE = 2;

/** Runs what the arguments ask for and returns the exit code. */
async function main(argv: string[]): Promise<number> {
  const { values, positionals } = parseArgs({
    args: argv,
    allowPositionals: true,
    options: {
      unit: { type: 'boolean' },
      live: { type: 'boolean' },
      'time-limit': { type: 'string' },
      results: { type: 'string' },
      with: { type: 'string' },
    },
  });
  const files = discoverTests(ROOT, positionals);
  const unit = values.live ? [] : files.unit;
  const live = values.unit ? [] : files.live;
  if (unit.length + live.length === 0) {
    console.error(`no test file matches ${positionals.join(' ') || 'anything'}`);
    return 1;
  }
  const limitMs = (fallbackS: number): number => Number(values['time-limit'] ?? fallbackS) * 1000;
  const command = values.with === undefined ? {} : { command: values.with.split(' ') };
  const results = [
    ...(await runAll(unit, UNIT_FILES_AT_ONCE, { ...command, timeLimitMs: limitMs(UNIT_LIMIT_S) })),
    ...(await runAll(live, 1, { ...command, timeLimitMs: limitMs(LIVE_LIMIT_S), afterFile: complainAboutLeftovers })),
  ];
  if (values.results !== undefined) writeResults(values.results, results);
  const skips = skipText(results);
  if (skips) console.log(`\n${skips}`);
  console.log(`\n${summaryLine(results)}`);
  return results.every((result) => result.failures.length === 0) ? 0 : 1;
}

/** Keeps what was found with this system's DPDK, for scripts/release-table.ts. What ran before stays, unless it ran again. */
function writeResults(file: string, results: FileResult[]): void {
  mkdirSync(dirname(file), { recursive: true });
  const found = runResults(place(), results);
  const all = existsSync(file) ? runAgain(JSON.parse(readFileSync(file, 'utf8')) as RunResults, found) : found;
  writeFileSync(file, `${JSON.stringify(all, undefined, 2)}\n`);
}

/** Runs files in order, at most `atOnce` together, and reports each as it ends. */
async function runAll(names: string[], atOnce: number, options: RunOptions): Promise<FileResult[]> {
  const results: FileResult[] = [];
  const queue = [...names];
  const worker = async (): Promise<void> => {
    for (let name = queue.shift(); name !== undefined; name = queue.shift()) {
      const result = await runTapFile(`${ROOT}dist/${name}.js`, options);
      result.file = relative(ROOT, `${ROOT}${name}.ts`);
      results.push(result);
      console.log([fileLine(result), failureText(result)].filter(Boolean).join('\n'));
    }
  };
  await Promise.all(Array.from({ length: atOnce }, worker));
  return results;
}

/** A live file must take everything it made away again; what it forgot is removed here and held against it. */
async function complainAboutLeftovers(pid: number): Promise<string[]> {
  const left = await lastingLeftovers(pid);
  if (left.length > 0) clearLeftovers(pid);
  return left.map((item) => `left behind: ${item}`);
}

for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
  process.once(signal, () => {
    signalRunning('SIGTERM');
    setTimeout(() => {
      signalRunning('SIGKILL');
      process.exit(130);
    }, 2000);
  });
}
process.exitCode = await main(process.argv.slice(2));
