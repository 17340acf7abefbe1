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
const AT_RATE = 400_000;
const SATURATED = 1_000_000;

/** It numbers the packets that it sends. The rate that no processor reaches is full load. */
async function numbering(t: Test, rate: number): Promise<OwnedPrimary> {
  const prefix = uniqueName();
  const words = primaryWords(prefix, { rate, size: 64, seconds: 600 });
  const env = { LD_PRELOAD: installedAgent() };
  const primary = await startOwnedPrimary(prefix, built(PRIMARY), words, env);
  t.teardown(() => {
    primary.process.signal('SIGTERM');
    return primary.stop();
  });
  await agentServes(prefix, primary.process.pid);
  return primary;
}

/** All numbers from the first to the last, in their order, but for those of packets that were counted as lost. */
function isInOrder(t: Test, title: string, captured: Captured, files: readonly string[]): void {
  const numbers = files.flatMap((path) => readPcap(path).packets.map(({ data }) => data.readUInt32LE(NUMBER_AT)));
  const steps = numbers.slice(1).map((number, at) => number - (numbers[at] as number));
  t.same(
    steps.filter((step) => step < 1),
    [],
    `${title}: none is doubled or out of order in ${files.length} files`,
  );
  const missing = steps.reduce((sum, step) => sum + step - 1, 0);
  const lost = total(captured, 'nombuf') + total(captured, 'ringfull');
  t.ok(missing <= lost, `${title}: ${missing} are missing, ${lost} were counted as lost`);
  t.equal(numbers.length, captured.final?.packets, title);
}

for (const way of ['pdump', 'agent']) {
  t.test(`through ${way}`, { skip }, async (t) => {
    const folder = t.testdir();
    for (const [rate, packets, criteria] of [
      [1_000_000, AT_RATE, ['packets:70000', 'filesize:3000', 'duration:0.1']],
      [500_000_000, SATURATED, ['packets:70000', 'filesize:3000']],
    ] as const) {
      const primary = await numbering(t, rate);
      for (const criterion of criteria) {
        const title = `${criterion}, ${rate} packets a second`;
        const out = join(folder, title.replaceAll(/\W/g, '-'));
        mkdirSync(out);
        const words = ['--via', way, '-i', '0', '-Q', 'tx', '-c', String(packets), '-b', criterion];
        const captured = await capture(primary, [...words, '-w', join(out, 'x.pcap')], 60_000);
        balances(t, captured);
        const files = filesIn(out);
        t.ok(files.length > 3, title);
        isInOrder(t, title, captured, files);
      }
    }
  });
}
