/**
 * What forward2kni makes of a TAP interface: `node dist/bench/tap-rate.js [ROUNDS] [SECONDS]`.
 *
 * A testpmd saturates one port with 64-byte packets the whole time. In turns a bare loop of write() fills a TAP interface,
 * and `forward2kni 0 on` an equal one. Medians, and their ratio: the machine is noisy, and what it can do is not the point.
 */
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import {
  type Captured,
  kniName,
  requirements,
  run,
  type StatsRecord,
  startForwarder,
  startTestpmd,
  type Testpmd,
} from '../test/live/helpers/index.js';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));
const FRAME_BYTES = 64;

/** Packets a second of the bare loop. */
function bareLoop(seconds: number): number {
  return Number(run(`${ROOT}build/tap_write`, [kniName(), String(seconds), String(FRAME_BYTES)], { timeoutMs: 1e6 }));
}

/** Packets a second that forward2kni got through, and the rest by what became of it. */
interface Forwarded {
  rate: number;
  nombuf: number;
  sinkdrop: number;
  balanced: boolean;
}

async function forwarded(testpmd: Testpmd, seconds: number): Promise<Forwarded> {
  const args = ['--name', kniName(), '-Q', 'rx', '--for', `${seconds + 1}s`];
  return judge(await startForwarder(testpmd, '0', args).ended((seconds + 60) * 1000));
}

/** The rate is that between the first and the last record of a second: start and end are somebody else's. */
function judge({ records, final, stderr }: Captured): Forwarded {
  const [first, last] = [records[0], records.filter((record) => !record.final).at(-1)];
  const lane = final?.ports[0];
  if (!first || !last || first === last || !lane) throw new Error(`too few statistics in ${stderr}`);
  const at = (record: StatsRecord): number => record.elapsed_s;
  return {
    rate: (last.packets - first.packets) / (at(last) - at(first)),
    nombuf: lane.nombuf,
    sinkdrop: lane.sinkdrop,
    balanced: lane.accepted === lane.written + lane.ringfull + lane.sinkdrop + lane.surplus,
  };
}

function median(values: number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)] ?? Number.NaN;
}

const mega = (value: number): string => (value / 1e6).toFixed(3);

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
    const [bare, ours]: [number[], Forwarded[]] = [[], []];
    for (let round = 0; round < rounds; round++) {
      bare.push(bareLoop(seconds));
      const result = await forwarded(testpmd, seconds);
      ours.push(result);
      const lost = `nombuf ${mega(result.nombuf)} M, sinkdrop ${result.sinkdrop}${result.balanced ? '' : ', DOES NOT ADD UP'}`;
      console.log(`bare loop ${mega(bare.at(-1) ?? 0)} Mpps, forward2kni ${mega(result.rate)} Mpps; lost: ${lost}`);
    }
    const [a, b] = [median(bare), median(ours.map(({ rate }) => rate))];
    console.log(`medians: bare loop ${mega(a)} Mpps, forward2kni ${mega(b)} Mpps: ${((100 * b) / a).toFixed(1)} %`);
  } finally {
    await testpmd.stop();
  }
}

await main(Number(process.argv[2] ?? 7), Number(process.argv[3] ?? 3));
