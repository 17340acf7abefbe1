/** A primary that refuses the filter gets none: dpcap filters the copies, says so, and counts what it leaves out. */
import { join } from 'node:path';
import t from 'tap';
import { type EnginePlan, planSchema } from '../../src/protocol/plan.js';
import { runInForeground } from '../../src/supervisor/foreground.js';
import { createReporter } from '../../src/supervisor/report/create-reporter.js';
import type { Reporter } from '../../src/supervisor/report/reporter.js';
import type { StatsRecord } from '../../src/supervisor/report/stats-record.js';
import { createLogger } from '../../src/system/log.js';
import { isUnharmed, readPcap, remember, requirements, runDpcap, startReplay, writePcap } from '../harness/index.js';
import { ether, ipv4, tcp, udp } from '../helpers/frames.js';

const skip = requirements({ hugepagesMb: 256 });
const tag = [{ tpid: 0x8100, vid: 9 }];
const wanted = Array.from({ length: 30 }, (_, at) =>
  ether(0x0800, ipv4(6, tcp(at, 80, 2, new Array(600).fill(at))), tag),
);
const others = Array.from({ length: 50 }, (_, at) => ether(0x0800, ipv4(17, udp(at, 53))));

/** Behind its end: DPDK's verifier calls it unreachable. */
const UNREACHABLE = [0xb4, 0, 0, 0, 0, 0, 0, 0, 0x95, 0, 0, 0, 0, 0, 0, 0];
const refusable = (program: string): string =>
  Buffer.concat([Buffer.from(program, 'base64'), Buffer.from(UNREACHABLE)]).toString('base64');

t.test('the filter runs here', { skip }, async (t) => {
  const folder = t.testdir();
  const [source, file] = [join(folder, 'in.pcap'), join(folder, 'out.pcap')];
  writePcap(source, [...others, ...wanted]);
  const replay = await startReplay([[source]], 80);
  t.teardown(() => replay.testpmd.stop());
  const before = await remember(replay.testpmd);
  for (const clock of ['primary', 'host']) {
    const args = ['--file-prefix', replay.testpmd.prefix, '-Q', 'rx', '-s', '100', '-B', '16384', '-j', clock];
    const { stdout } = await runDpcap([...args, '-w', file, '--dry-run', '--vlan', '9', 'tcp port 80']);
    const dry: EnginePlan = planSchema.parse(JSON.parse(stdout));
    // It ends with the last packet that matches; the others are replayed first.
    const program = refusable(dry.program);
    const programTx = refusable(dry.programTx ?? dry.program);
    const plan = { ...dry, program, programTx, packetLimit: wanted.length };
    let last: StatsRecord | undefined;
    let said = '';
    let played: Promise<void> | undefined;
    const text = await createReporter('text', true, { write: (line) => (said += line) });
    const reporter: Reporter = {
      wantsProgress: false,
      started: (facts) => {
        text.started(facts);
        played = replay.play();
      },
      progress: () => {},
      notice: () => {},
      asked: () => {},
      finished: (record) => {
        last = record;
      },
    };
    await runInForeground(plan, { output: file }, reporter, createLogger('warn', 'test'));
    await played;
    t.match(said, /the primary cannot run the filter/);
    t.match(last?.ports, [{ accepted: 30, written: 30, filtered: 50, nombuf: 0 }], `stamped by the ${clock}`);
    t.same(
      readPcap(file).packets.map(({ data }) => data),
      wanted.map((frame) => Buffer.from(frame.subarray(0, 100))),
      'those that match, cut at the snaplen after the filter has seen them whole',
    );
  }
  await isUnharmed(t, replay.testpmd, before, 'after two captures');
});
