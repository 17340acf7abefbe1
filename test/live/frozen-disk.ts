/** A disk that takes no more writes, and lets nobody who writes to it end: the prompt comes back all the same. */
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import t, { type Test } from 'tap';
import { isByProbes } from '../harness/defaults.js';
import { freeze, smallExt4 } from '../harness/disks.js';
import {
  capture,
  enginePid,
  gone,
  isForwarding,
  isThroughAgent,
  isUnharmed,
  type LiveCapture,
  remember,
  requirements,
  runDpcap,
  startCapture,
  type Testpmd,
  underLoad,
} from '../harness/index.js';
import { answers } from '../harness/primary-answers.js';

const skip = requirements({ hugepagesMb: 256, tools: ['mkfs.ext4', 'fsfreeze'] });
/** dpcap takes a second signal for an impatient one after a second; the supervisor waits three more for its engine. */
const [IMPATIENT_MS, PROMPT_MS] = [1500, 10_000];
/** How a capture writes: each has a port of its own. */
const OUTPUTS = [
  ['x.pcap'],
  ['y.pcapng', '-b', 'packets:5000', '-b', 'files:3'],
  ['z.pcapng.zst', '-b', 'filesize:300'],
];

/** Who takes back what is still there. */
const TAKER = isThroughAgent
  ? 'the agent takes back'
  : isByProbes
    ? 'the kernel then takes its probes out'
    : 'in the primary with: dpcap recover';
/** What a second Ctrl-C tells. */
const OWED = new RegExp(
  `gave up waiting.*packets are copied no more.*${TAKER}.*until then is in .*(\\.partial|finished files?)`,
  's',
);

/** Starts a capture of a port at full load, and waits until it writes. */
async function writing(testpmd: Testpmd, port: number, disk: string, words: readonly string[]): Promise<LiveCapture> {
  const [name = '', ...more] = words;
  const output = ['-w', join(disk, name), ...more];
  const running = startCapture(testpmd, ['-i', String(port), '-Q', 'rx', '-s', '64', '-B', '8192', ...output]);
  await running.written(1);
  return running;
}

/** Waits until nothing more is written: all that can wait for the disk does. */
async function stalled(running: LiveCapture): Promise<void> {
  let last = -1;
  for (let equal = 0; equal < 3; ) {
    const { packets } = await running.next();
    equal = packets === last ? equal + 1 : 0;
    last = packets;
  }
}

/** A capture of the same lane is possible at once: pdump has room for one. */
async function isOff(t: Test, testpmd: Testpmd, port: number): Promise<void> {
  const words = ['-i', String(port), '-Q', 'rx', '-s', '64', '-B', '8192', '-c', '10', '-w', '/dev/null'];
  t.match(await capture(testpmd, words), { code: 0 }, `port ${port} is no longer captured`);
}

t.test(
  'Ctrl-C disables at once while the disk is frozen, and a second one gives the prompt back',
  { skip },
  async (t) => {
    const testpmd = await underLoad(t, { vdevs: OUTPUTS.map((_, port) => `net_null${port}`) });
    const before = await remember(testpmd);
    const disk = smallExt4(t, 4_000_000);
    const running = await Promise.all(OUTPUTS.map((words, port) => writing(testpmd, port, disk, words)));
    const engines = running.map(({ pid }) => enginePid(pid));
    const { thaw } = freeze(t, disk);
    await Promise.all(running.map(stalled));

    for (const { process } of running) process.signal('SIGINT');
    const signalled = performance.now();
    for (const port of OUTPUTS.keys()) await isOff(t, testpmd, port);
    await delay(Math.max(0, IMPATIENT_MS - (performance.now() - signalled))); // what dpcap measures
    for (const { process } of running) process.signal('SIGINT');
    for (const ended of await Promise.all(running.map((one) => one.ended(PROMPT_MS)))) {
      t.match(ended, { code: 1, signal: null, messages: OWED });
    }
    await answers(t, testpmd, 'given up');

    thaw();
    await Promise.all(engines.map((pid) => gone(pid)));
    const { code, stderr } = await runDpcap(['recover', '--file-prefix', testpmd.prefix]);
    t.equal(code, 0, stderr);
    await isUnharmed(t, testpmd, before, 'recovered');
    await isForwarding(t, testpmd, 'recovered');
  },
);
