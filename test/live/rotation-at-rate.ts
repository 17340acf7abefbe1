/** Files that follow one another, from packets that are numbered: none is lost, doubled or out of order where a file ends. */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { primaryWords } from '../../bench/primary.js';
import { agentServes } from '../harness/agent-socket.js';
import { built, isMissing } from '../harness/built.js';
import { balances, type Captured, capture, readPcap, requirements, total } from '../harness/index.js';
import { uniqueName } from '../harness/owned.js';
import { type OwnedPrimary, startOwnedPrimary } from '../harness/owned-primary.js';
import { filesIn } from '../helpers/folder.js';
import { installedAgent } from '../helpers/native.js';

const PRIMARY = 'bench_primary';
const skip = requirements({ hugepagesMb: 128 }) || isMissing(PRIMARY);
/** Behind Ethernet, IPv4, UDP and the time of sending. */
const NUMBER_AT = 14 + 20 + 8 + 8;
const [RATE, FULL_LOAD] = [1_000_000, 500_000_000];
const AT_RATE = 400_000;
const SATURATED = 1_000_000;

/** It numbers the packets that it sends. The rate that no processor reaches is full load. */
async function numbering(t: Test, rate: number, queues = 1): Promise<OwnedPrimary> {
  const prefix = uniqueName();
  const words = primaryWords(prefix, { rate, queues, size: 64, seconds: 600 });
  const env = { LD_PRELOAD: installedAgent() };
  const primary = await startOwnedPrimary(prefix, built(PRIMARY), words, env);
  t.teardown(() => {
    primary.process.signal('SIGTERM');
    return primary.stop();
  });
  await agentServes(prefix, primary.process.pid);
  return primary;
}

/** How the primary gives its packets to the queues. */
const BURST = 32;

/** Of each queue: its packets from the first to the last, in their order, but for those that were counted as lost. */
function isInOrder(t: Test, title: string, captured: Captured, files: readonly string[], queues: number): void {
  const packets = files.flatMap((path) => readPcap(path).packets);
  const numbers: number[][] = Array.from({ length: queues }, () => []);
  for (const { data } of packets) {
    const number = data.readUInt32LE(NUMBER_AT);
    const burst = Math.floor(number / BURST);
    numbers[burst % queues]?.push(Math.floor(burst / queues) * BURST + (number % BURST));
  }
  const steps = numbers.flatMap((all) => all.slice(1).map((number, at) => number - (all[at] as number)));
  t.same(
    steps.filter((step) => step < 1),
    [],
    `${title}: none is doubled or out of order in ${files.length} files`,
  );
  const missing = steps.reduce((sum, step) => sum + step - 1, 0);
  const lost = total(captured, 'nombuf') + total(captured, 'ringfull');
  t.ok(missing <= lost, `${title}: ${missing} are missing, ${lost} were counted as lost`);
  t.notOk(
    packets.some(({ timestampNs }, at) => timestampNs < (packets[at - 1]?.timestampNs ?? 0n)),
    `${title}: in the order of time`,
  );
  t.equal(packets.length, captured.final?.packets, title);
}

/** Captures what is sent into files of their own. */
async function rotates(
  t: Test,
  primary: OwnedPrimary,
  { title, words, queues = 1 }: { title: string; words: readonly string[]; queues?: number },
): Promise<void> {
  const out = join(t.testdirName, title.replaceAll(/\W/g, '-'));
  mkdirSync(out);
  const captured = await capture(primary, ['-i', '0', '-Q', 'tx', ...words, '-w', join(out, 'x.pcap')], 60_000);
  balances(t, captured);
  const files = filesIn(out);
  t.ok(files.length > 3, title);
  isInOrder(t, title, captured, files, queues);
}

for (const way of ['pdump', 'agent']) {
  t.test(`through ${way}`, { skip }, async (t) => {
    t.testdir();
    for (const [rate, packets, criteria] of [
      [RATE, AT_RATE, ['packets:70000', 'filesize:3000', 'duration:0.1', 'interval:0.1']],
      [FULL_LOAD, SATURATED, ['packets:70000', 'filesize:3000']],
    ] as const) {
      const primary = await numbering(t, rate);
      for (const criterion of criteria) {
        const words = ['--via', way, '-c', String(packets), '-b', criterion];
        await rotates(t, primary, { title: `${criterion}, ${rate} packets a second`, words });
      }
    }
  });
}

t.test('three drain threads, each with a queue', { skip }, async (t) => {
  t.testdir();
  for (const rate of [RATE, FULL_LOAD]) {
    const primary = await numbering(t, rate, 3);
    for (const criterion of ['packets:70000', 'filesize:3000', 'duration:0.1', 'interval:0.1']) {
      const words = ['--via', 'pdump', '--threads', '3', '-a', 'duration:0.5', '-b', criterion];
      await rotates(t, primary, { title: `three, ${criterion}, ${rate} packets a second`, words, queues: 3 });
    }
  }
});
