/**
 * Has an application at full load crash, again and again, and looks at what its flight recorder kept:
 * `npm run test:recorder-rounds -- [--rounds N] [--signal SIGSEGV]`. Each box has to give a valid file without a torn record,
 * whose last packet is less than 1 ms older than the signal. On a machine with other work to do the polling thread may not
 * have had a CPU for longer than that: such rounds fail.
 */
import { mkdtempSync, readdirSync, readFileSync, rmdirSync, rmSync } from 'node:fs';
import { constants, setPriority, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { runtimeRoot } from '../src/primary/runtime-dir.js';
import { findBoxes, type OpenBox } from '../src/recorder/find.js';
import { startWithAgent } from '../test/harness/agent.js';
import { uniqueName } from '../test/harness/owned.js';
import { capinfos } from '../test/harness/pcap.js';
import { runDpcap } from '../test/harness/processes.js';
import { recorderEnvironment } from '../test/harness/recorder.js';

const MOST_AGE_MS = 1;
const SETTLED_PACKETS = 200_000n;
const MOST_MS = 20_000;

const { values } = parseArgs({
  options: { rounds: { type: 'string', default: '50' }, signal: { type: 'string', default: 'SIGSEGV' } },
});
const signal = values.signal as NodeJS.Signals;
const folder = mkdtempSync(join(tmpdir(), 'dpcap-rounds-'));
const env = await recorderEnvironment(['--memory', '64M', '-s', '128']);

/** Milliseconds since 1970, with fractions. */
const now = (): number => performance.timeOrigin + performance.now();

function boxesIn(prefix: string): OpenBox[] {
  const found = findBoxes(runtimeRoot(), prefix);
  found.close();
  return found.boxes;
}

/** The thread that forwards: DPDK names those of worker lcores so. */
function workerOf(pid: number): number {
  const tasks = `/proc/${pid}/task`;
  return Number(readdirSync(tasks).find((id) => /worker/.test(readFileSync(join(tasks, id, 'comm'), 'utf8'))));
}

/** Waits until its recorder is full: the memory is made first. */
async function settled(prefix: string): Promise<void> {
  for (const deadline = Date.now() + MOST_MS; (boxesIn(prefix)[0]?.facts.packets ?? 0n) < SETTLED_PACKETS; ) {
    if (Date.now() > deadline) throw new Error(`the recorder of ${prefix} does not fill up`);
    await delay(20);
  }
}

/** Runs one application until it crashes. Returns what is wrong with what was kept. */
async function round(): Promise<{ ageMs: number; faults: string[] }> {
  const testpmd = await startWithAgent('LD_PRELOAD', {
    ...{ prefix: uniqueName(), vdevs: ['net_null0', 'net_null1'], eal: ['--no-huge'], env },
  });
  try {
    await testpmd.command('start');
    setPriority(workerOf(testpmd.pid), constants.priority.PRIORITY_HIGHEST);
    await settled(testpmd.prefix);
    const deathMs = now();
    await testpmd.kill(signal, { keepFiles: true });
    const [box] = boxesIn(testpmd.prefix);
    if (!box) return { ageMs: Number.NaN, faults: ['there is no box'] };
    const file = join(folder, 'last.pcapng');
    const { code, stderr } = await runDpcap(['recorder', 'save', '--box', box.path, '-w', file]);
    const ageMs = deathMs - Number(box.facts.lastNs / 1000n) / 1000;
    const isOrdered = code === 0 && capinfos(file)['Strict time order'] === 'True';
    rmSync(box.path);
    try {
      rmdirSync(dirname(box.path));
    } catch {
      // ENOTEMPTY: boxes of others are there.
    }
    return {
      ageMs,
      faults: [
        ...(code === 0 ? [] : [`it was not saved: ${stderr}`]),
        ...(isOrdered ? [] : ['its file is not in the order of time']),
        ...(/damaged|cut off/.test(stderr) ? [stderr] : []),
        ...(ageMs < MOST_AGE_MS ? [] : [`its last packet is ${ageMs.toFixed(3)} ms older than the signal`]),
      ],
    };
  } finally {
    await testpmd.stop();
  }
}

const ages: number[] = [];
let failures = 0;
for (let i = 1; i <= Number(values.rounds); i++) {
  const { ageMs, faults } = await round();
  ages.push(ageMs);
  if (faults.length > 0) failures++;
  process.stdout.write(
    `${i}: the last packet is ${ageMs.toFixed(3)} ms older than ${signal}; ${faults.join('; ') || 'whole'}\n`,
  );
}
rmSync(folder, { recursive: true, force: true });
const sorted = [...ages].sort((a, b) => a - b);
process.stdout.write(
  `${failures} of ${ages.length} failed; age of the last packet: median ${sorted[sorted.length >> 1]?.toFixed(3)} ms, ` +
    `most ${sorted.at(-1)?.toFixed(3)} ms (below 0: it came after the signal was sent)\n`,
);
process.exitCode = failures === 0 ? 0 : 1;
