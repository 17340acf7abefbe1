/**
 * Has an application at full load die, again and again, and looks at what its flight recorder kept:
 * `npm run test:recorder-rounds -- [--rounds N] [--death NAME]`, where the deaths take turns without a name. Each box has to
 * give a valid file without a torn record, whose last packet is the last one that was counted, and less than 1 ms away from
 * the signal, where one tells the moment. On a machine with other work to do the polling thread may not have had a CPU for
 * longer than that: such rounds fail.
 */
import { mkdtempSync, readdirSync, readFileSync, rmdirSync, rmSync } from 'node:fs';
import { constants, setPriority, tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { runtimeRoot } from '../src/primary/runtime-dir.js';
import { findBoxes, type OpenBox } from '../src/recorder/find.js';
import { startWithAgent } from '../test/harness/agent.js';
import { MemoryCgroup, noMemoryCgroup } from '../test/harness/memory-cgroup.js';
import { uniqueName } from '../test/harness/owned.js';
import { capinfos, tsharkFields } from '../test/harness/pcap.js';
import { runDpcap } from '../test/harness/processes.js';
import { recorderEnvironment } from '../test/harness/recorder.js';
import type { Testpmd } from '../test/harness/testpmd.js';

const MOST_AGE_MS = 1;
const SETTLED_PACKETS = 200_000n;
const MOST_MS = 20_000;

const { values } = parseArgs({
  options: { rounds: { type: 'string', default: '50' }, death: { type: 'string' } },
});
/** By a signal, by its own command, and by the kernel that wants its memory. */
const DEATHS = ['SIGSEGV', 'SIGKILL', 'SIGABRT', 'exit', 'memory'] as const;
type Death = (typeof DEATHS)[number];
const deaths = DEATHS.filter((one) => one === (values.death ?? one) && !(one === 'memory' && noMemoryCgroup));
if (deaths.length === 0) throw new Error(`there is no death ${values.death} here; there are ${DEATHS.join(', ')}`);
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

/** Has it die. Returns when it was told to, in milliseconds, where that is the moment at which it stops. */
async function die(testpmd: Testpmd, death: Death, cgroup: MemoryCgroup | undefined): Promise<number | undefined> {
  const deathMs = now();
  if (death === 'exit') await testpmd.stop({ keepFiles: true });
  else if (cgroup) {
    cgroup.exhaust();
    await testpmd.exited;
  } else await testpmd.kill(death as NodeJS.Signals, { keepFiles: true });
  return death === 'exit' || cgroup ? undefined : deathMs;
}

/** The time of a file's last packet, in nanoseconds. */
function lastNs(file: string): bigint {
  const [seconds = '', fraction = ''] = (tsharkFields(file, ['frame.time_epoch']).at(-1)?.[0] ?? '').split('.');
  return BigInt(seconds) * 1_000_000_000n + BigInt(fraction.padEnd(9, '0'));
}

/** Runs one application until it dies. Returns what is wrong with what was kept. */
async function round(death: Death): Promise<{ ageMs: number | undefined; faults: string[] }> {
  const cgroup = death === 'memory' ? new MemoryCgroup() : undefined;
  const testpmd = await startWithAgent('LD_PRELOAD', {
    ...{ prefix: uniqueName(), vdevs: ['net_null0', 'net_null1'], eal: ['--no-huge'], env },
    ...(cgroup ? { within: cgroup.within } : {}),
  });
  try {
    await testpmd.command('start');
    setPriority(workerOf(testpmd.pid), constants.priority.PRIORITY_HIGHEST);
    await settled(testpmd.prefix);
    const deathMs = await die(testpmd, death, cgroup);
    const [box] = boxesIn(testpmd.prefix);
    if (!box) return { ageMs: undefined, faults: ['there is no box'] };
    const file = join(folder, 'last.pcapng');
    const { code, stderr } = await runDpcap(['recorder', 'save', '--box', box.path, '-w', file]);
    const last = code === 0 ? lastNs(file) : 0n;
    const ageMs = deathMs === undefined ? undefined : deathMs - Number(last / 1000n) / 1000;
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
        ...(last === box.facts.lastNs ? [] : ['the last packet that was counted is not the last one of its file']),
        ...(Math.abs(ageMs ?? 0) < MOST_AGE_MS ? [] : ['its last packet is not of the time of the signal']),
      ],
    };
  } finally {
    await testpmd.stop();
    cgroup?.remove();
  }
}

const ages: number[] = [];
let failures = 0;
for (let i = 1; i <= Number(values.rounds); i++) {
  const death = deaths[i % deaths.length] as Death;
  const { ageMs, faults } = await round(death);
  if (ageMs !== undefined) ages.push(ageMs);
  if (faults.length > 0) failures++;
  const age = ageMs === undefined ? '' : `, the last packet is ${ageMs.toFixed(3)} ms older`;
  process.stdout.write(`${i}: ${death}${age}; ${faults.join('; ') || 'whole'}\n`);
}
rmSync(folder, { recursive: true, force: true });
const sorted = [...ages].sort((a, b) => a - b);
process.stdout.write(
  `${failures} of ${values.rounds} failed; age of the last packet: median ${sorted[sorted.length >> 1]?.toFixed(3)} ms, ` +
    `most ${sorted.at(-1)?.toFixed(3)} ms (below 0: it came after the signal was sent)\n`,
);
process.exitCode = failures === 0 ? 0 : 1;
