/**
 * `npm run bench`: dpcap beside dpdk-dumpcap and dpdk-pdump on one primary, interleaved A B A B; a table and JSON.
 *   --seconds N (each run, default 3)  --rounds N (default 3)  --sizes 64,1518  --directory DIR (default /dev/shm)
 */
import { execFileSync } from 'node:child_process';
import { closeSync, openSync, rmSync, statSync, writeSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { buildPrimary, type Primary, startPrimary } from './primary.js';
import { startTool, TOOLS, type Tool } from './tools.js';

const { values } = parseArgs({
  options: {
    seconds: { type: 'string', default: '3' },
    rounds: { type: 'string', default: '3' },
    sizes: { type: 'string', default: '64,512,1518,9000' },
    directory: { type: 'string', default: '/dev/shm' },
    json: { type: 'boolean', default: false },
  },
});
const SECONDS = Number(values.seconds);
const FILE = `${values.directory}/dpcap-bench-${process.pid}.pcap`;
const WARM_BYTES = 3_000_000_000;

/** One run of one tool. */
interface Run {
  tool: string;
  size: number;
  /** Millions of packets in the file, a second. */
  capturedMpps: number;
  /** Millions of packets a second that the primary sent meanwhile. */
  keptMpps: number;
}

/** First touch of memory is slower than everything that is measured: have it touched, and give it back. */
function warm(path: string): void {
  const fd = openSync(path, 'w');
  const zeros = Buffer.alloc(1 << 20);
  for (let done = 0; done < WARM_BYTES; done += zeros.length) writeSync(fd, zeros);
  closeSync(fd);
  rmSync(path);
}

function packetsIn(path: string): number {
  const out = execFileSync('capinfos', ['-c', '-M', '-T', '-r', path], { encoding: 'utf8' });
  return Number(out.trim().split(/\s+/).at(-1));
}

async function runTool(tool: Tool, primary: Primary, size: number): Promise<Run> {
  const running = await startTool(tool, primary.prefix, FILE);
  const start = process.hrtime.bigint();
  await primary.nextSecond();
  const kept: number[] = [];
  while (kept.length < SECONDS) kept.push(await primary.nextSecond());
  const { code } = await running.stop();
  const seconds = Number(process.hrtime.bigint() - start) / 1e9;
  if (statSync(FILE, { throwIfNoEntry: false }) === undefined) throw new Error(`${tool.name} left no file (${code})`);
  const captured = packetsIn(FILE);
  rmSync(FILE, { force: true });
  return { tool: tool.name, size, capturedMpps: captured / seconds / 1e6, keptMpps: median(kept) / 1e6 };
}

function median(list: readonly number[]): number {
  const sorted = [...list].sort((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? 0;
}

function range(list: readonly number[]): string {
  return `${median(list).toFixed(2)} (${Math.min(...list).toFixed(2)}-${Math.max(...list).toFixed(2)})`;
}

async function saturated(size: number): Promise<Run[]> {
  const primary = await startPrimary({ rate: 0, size });
  const runs: Run[] = [];
  warm(FILE);
  try {
    await sleep(1500);
    runs.push({ tool: 'none', size, capturedMpps: 0, keptMpps: (await primary.nextSecond()) / 1e6 });
    for (let round = 0; round < Number(values.rounds); round++) {
      for (const tool of TOOLS) {
        try {
          runs.push(await runTool(tool, primary, size));
        } catch (error) {
          process.stderr.write(`${tool.name}: ${(error as Error).message}\n`);
        }
      }
    }
  } finally {
    await primary.stop();
    rmSync(FILE, { force: true });
  }
  return runs;
}

function table(runs: readonly Run[]): string {
  const rows = [['size', 'tool', 'captured Mpps', 'primary kept Mpps']];
  for (const size of new Set(runs.map((run) => run.size))) {
    for (const tool of new Set(runs.filter((run) => run.size === size).map((run) => run.tool))) {
      const mine = runs.filter((run) => run.size === size && run.tool === tool);
      rows.push([
        String(size),
        tool,
        range(mine.map((run) => run.capturedMpps)),
        range(mine.map((run) => run.keptMpps)),
      ]);
    }
  }
  return rows.map((row) => row.map((cell, i) => cell.padEnd([6, 16, 24, 24][i] ?? 0)).join('')).join('\n');
}

buildPrimary();
const runs: Run[] = [];
for (const size of values.sizes.split(',').map(Number)) runs.push(...(await saturated(size)));
process.stdout.write(`${values.json ? JSON.stringify(runs, null, 2) : table(runs)}\n`);
