/**
 * What forward2kni makes of a TAP interface: `node dist/bench/tap-rate.js [ROUNDS] [SECONDS]`.
 *
 * A testpmd saturates one port with 64-byte packets the whole time. In turns a bare loop of write() fills a TAP interface,
 * and `forward2kni 0 on` an equal one. Medians, and their ratios, also of CPU time, which neighbours on the machine
 * disturb less.
 */
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import {
  enginePid,
  kniName,
  requirements,
  run,
  startForwarder,
  startTestpmd,
  type Testpmd,
} from '../test/harness/index.js';
import { median } from './sample.js';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const FRAME_BYTES = 64;
/** The thread that writes. */
const DRAIN = 'dpcap-drain';
/** dpcap's own default; the helper asks for less. */
const BUFFER_KIB = '163840';

/** Packets a second that got through, and the CPU time that each took. */
interface Result {
  rate: number;
  cpuNs: number;
}

function bareLoop(seconds: number): Result {
  const words = [kniName(), String(seconds), String(FRAME_BYTES)];
  const [rate = 0, cpuNs = 0] = run(`${ROOT}build/tap_write`, words, { timeoutMs: 1e6 }).split(' ').map(Number);
  return { rate, cpuNs };
}

/** What was lost, and whether every packet is accounted for. */
interface Forwarded extends Result {
  nombuf: number;
  sinkdrop: number;
  balanced: boolean;
}

/** Measured between two records of statistics: start and end are somebody else's. */
async function forwarded(testpmd: Testpmd, seconds: number): Promise<Forwarded> {
  const running = startForwarder(testpmd, '0', ['--name', kniName(), '-Q', 'rx', '-B', BUFFER_KIB]);
  const first = await running.written(1);
  const engine = enginePid(running.pid);
  const before = threadCpu(engine);
  await delay(seconds * 1000);
  const from = running.process.stderr.length;
  await running.process.expect(/"elapsed_s".*\n/, { from, stream: 'stderr' });
  const after = threadCpu(engine);
  const { records, final, stderr } = await running.stop();
  const last = records.filter((record) => !record.final).at(-1);
  const lane = final?.ports[0];
  if (!last || last === first || !lane) throw new Error(`too few statistics in ${stderr}`);
  const packets = last.packets - first.packets;
  return {
    rate: packets / (last.elapsed_s - first.elapsed_s),
    cpuNs: ((after.get(DRAIN) ?? 0) - (before.get(DRAIN) ?? 0)) / packets,
    nombuf: lane.nombuf,
    sinkdrop: lane.sinkdrop,
    balanced: lane.accepted === lane.written + lane.ringfull + lane.sinkdrop + lane.surplus,
  };
}

/** Nanoseconds on a CPU so far, by thread name. */
function threadCpu(pid: number): Map<string, number> {
  const read = (task: string, file: string): string => readFileSync(`/proc/${pid}/task/${task}/${file}`, 'utf8').trim();
  const tasks = readdirSync(`/proc/${pid}/task`);
  return new Map(tasks.map((task) => [read(task, 'comm'), Number(read(task, 'schedstat').split(' ')[0])]));
}

const mega = (value: number): string => (value / 1e6).toFixed(3);
const ns = (value: number): string => value.toFixed(0);
const percent = (value: number): string => `${(100 * value).toFixed(1)} %`;

function show(bare: Result, ours: Forwarded): void {
  const lost = `lost: nombuf ${mega(ours.nombuf)} M, sinkdrop ${ours.sinkdrop}`;
  console.log(
    `bare loop ${mega(bare.rate)} Mpps, ${ns(bare.cpuNs)} ns of CPU each; ` +
      `forward2kni ${mega(ours.rate)} Mpps, ${ns(ours.cpuNs)} ns; ` +
      `${lost}${ours.balanced ? '' : ', DOES NOT ADD UP'}`,
  );
}

function summarise(bare: Result[], ours: Forwarded[]): void {
  const of = (results: Result[], figure: (result: Result) => number): number => median(results.map(figure));
  const [a, b] = [of(bare, ({ rate }) => rate), of(ours, ({ rate }) => rate)];
  const [loop, drain] = [of(bare, ({ cpuNs }) => cpuNs), of(ours, ({ cpuNs }) => cpuNs)];
  console.log(`medians: bare loop ${mega(a)} Mpps, forward2kni ${mega(b)} Mpps: ${percent(b / a)}`);
  console.log(`by CPU time: ${percent(loop / drain)}`);
}

async function main(rounds: number, seconds: number): Promise<void> {
  const missing = requirements();
  if (missing) throw new Error(missing);
  execFileSync('cmake', ['--build', 'build', '--target', 'tap_write'], {
    cwd: ROOT,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const testpmd = await startTestpmd({ vdevs: ['net_null0', 'net_null1'] });
  try {
    await testpmd.command('start');
    const [bare, ours]: [Result[], Forwarded[]] = [[], []];
    for (let round = 0; round < rounds; round++) {
      const [a, b] = [bareLoop(seconds), await forwarded(testpmd, seconds)];
      bare.push(a);
      ours.push(b);
      show(a, b);
    }
    summarise(bare, ours);
  } finally {
    await testpmd.stop();
  }
}

await main(Number(process.argv[2] ?? 7), Number(process.argv[3] ?? 3));
