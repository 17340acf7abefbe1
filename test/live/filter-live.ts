/**
 * What a filter selects in a primary is what tcpdump selects from a file: with `--vlan strict` from the same frames,
 * with `--vlan any` (the default) from the frames without their VLAN tags.
 */
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { literalReason } from '../../src/filter/text/reading.js';
import {
  balances,
  type LiveCapture,
  readPcap,
  requirements,
  run,
  startCapture,
  startReplay,
  total,
  writePcap,
} from '../harness/index.js';
import { EXPRESSIONS, VLAN_EXPRESSIONS } from '../helpers/expressions.js';
import { binding } from '../helpers/native.js';
import { corpus } from '../helpers/packets.js';
import { stripTags } from '../helpers/strip-tags.js';

const skip = requirements({ hugepagesMb: 256 });
/** Queues of the replaying port, each of which receives all frames: so many filters are tried in one pass. */
const QUEUES = 8;
const FRAMES = corpus(20260, 700);

/** One filter, as it is tried: tags removed from the frames that tcpdump sees, or not. */
interface Trial {
  expression: string;
  vlan: 'any' | 'strict';
}

/** Lengths are those with tags in both modes, which no file without tags can show: the unit tests do. */
const readsLength = (text: string): boolean => /\b(len|less|greater)\b/.test(text);
const isLiteral = (text: string): boolean => literalReason(text, binding().compileFilter(text, false)) !== undefined;

/** What libpcap 1.11 makes of it was too much for the verifier of 25.11, with `--vlan strict`. */
const THREE_PORTS = 'port 80 or port 443 or port 8080';

/** Every second expression that speaks of no tag, in both modes; those that do mean the same in both. */
const TRIALS: Trial[] = [
  ...EXPRESSIONS.filter((text, index) => index % 2 === 0 || text === THREE_PORTS).flatMap((expression): Trial[] => {
    const strict = { expression, vlan: 'strict' as const };
    return readsLength(expression) || isLiteral(expression) ? [strict] : [{ expression, vlan: 'any' }, strict];
  }),
  ...VLAN_EXPRESSIONS.map((expression) => ({ expression, vlan: 'strict' as const })),
];

/** Frames that tcpdump selects from `file`, which holds those of FRAMES, changed or not, a microsecond apart. */
function selectedByTcpdump(file: string, expression: string): Buffer[] {
  const selected = `${file}.selected`;
  run('tcpdump', ['-Z', 'root', '-r', file, '-w', selected, '--', expression]);
  const first = readPcap(file).packets[0]?.timestampNs ?? 0n;
  return readPcap(selected).packets.map(({ timestampNs }) => {
    return Buffer.from(FRAMES[Number(timestampNs - first) / 1000] as Uint8Array);
  });
}

t.ok(
  TRIALS.some(({ expression, vlan }) => expression === THREE_PORTS && vlan === 'strict'),
  'three ports are tried to the letter',
);

t.test(`${TRIALS.length} filters`, { skip }, async (t) => {
  const folder = t.testdir();
  const files = { strict: join(folder, 'frames.pcap'), any: join(folder, 'stripped.pcap') };
  writePcap(files.strict, FRAMES);
  writePcap(files.any, FRAMES.map(stripTags));
  const queues = new Array<string>(QUEUES).fill(files.strict);
  const replay = await startReplay([queues], QUEUES * FRAMES.length);
  t.teardown(() => replay.testpmd.stop());

  const output = (queue: number): string => join(folder, `queue-${queue}.pcap`);
  const begin = ({ expression, vlan }: Trial, queue: number): Promise<LiveCapture> => {
    const lane = ['-i', '0', '-Q', 'rx', '--queue', String(queue), '-B', '4096'];
    return startCapture(replay.testpmd, [...lane, '--vlan', vlan, '-w', output(queue), '-f', expression]).started();
  };
  for (let first = 0; first < TRIALS.length; first += QUEUES) {
    const trials = TRIALS.slice(first, first + QUEUES);
    const running = await Promise.all(trials.map(begin));
    await replay.play();
    const captures = await Promise.all(running.map((one) => one.stop()));
    for (const [queue, captured] of captures.entries()) {
      const trial = trials[queue] as Trial;
      balances(t, captured);
      const passed = total(captured, 'accepted') + total(captured, 'filtered');
      t.equal(passed, FRAMES.length, `${trial.expression}: every frame was looked at`);
      agrees(
        t,
        trial,
        readPcap(output(queue)).packets.map((packet) => packet.data),
        files[trial.vlan],
      );
    }
  }
});

function agrees(t: Test, { expression, vlan }: Trial, captured: Buffer[], file: string): void {
  const wanted = selectedByTcpdump(file, expression);
  const equal =
    captured.length === wanted.length && captured.every((data, index) => data.equals(wanted[index] as Buffer));
  t.ok(equal, `--vlan ${vlan} ${expression}: ${captured.length} packets captured, tcpdump selects ${wanted.length}`);
}
