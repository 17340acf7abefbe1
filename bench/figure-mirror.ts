/**
 * The price of a mirror of everything: what an application keeps of its forwarding, and how much is mirrored, beside Open
 * vSwitch's own mirror. Each sample compares an application with itself, a moment before.
 */
import { execFileSync } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { findOpenVswitch } from '../test/harness/open-vswitch.js';
import { atOneDistance } from './cpu-distance.js';
import { attempt, type Figure, MEGA, type Record, type Settings, some, turned } from './experiment.js';
import type { Sample } from './sample.js';
import { type Sent, type Switch, startOpenVswitchSwitch, startTestpmdSwitch } from './switches.js';
import { DPCAP } from './tools.js';

const SIZES = [64, 1518];
const SETTLE_MS = 1000;
const MIRRORED_MS = 20_000;
const LOOK_MS = 100;
const [KEPT, MIRRORED] = ['forwarding kept beside a mirror of everything', 'mirrored, of everything'];

/** An application, and what mirrors in it. */
interface Way {
  name: string;
  start(size: number): Promise<Switch>;
  mirror(running: Switch): Promise<unknown>;
}

/** All that port 0 receives, to port 2. The lease is longer than any measurement; the mirror ends with its application. */
function byDpcap(...how: string[]): Way['mirror'] {
  const where = ['-i', 'net_null0', '-Q', 'rx', '--to-port', 'net_null2', '--lease', '1h'];
  return async ({ prefix }) =>
    execFileSync(process.execPath, [DPCAP, 'mirror', 'set', '--file-prefix', prefix, ...where, ...how], {
      stdio: ['ignore', 'ignore', 'pipe'],
    });
}

const COPIES = byDpcap();
const REFERENCES = byDpcap('--by-reference', '--accept', 'rewrites,buffers,tags');
const withAgent = (size: number): Promise<Switch> => startOpenVswitchSwitch(size, 'preloaded');

const OWN: Way = {
  name: 'Open vSwitch',
  start: (size) => startOpenVswitchSwitch(size, 'none'),
  mirror: async (running) => running.mirror?.(),
};
const IN_TESTPMD: readonly Way[] = [
  { name: 'dpcap in testpmd, copies', start: startTestpmdSwitch, mirror: COPIES },
  { name: 'dpcap in testpmd, by reference', start: startTestpmdSwitch, mirror: REFERENCES },
];
const IN_OPEN_VSWITCH: readonly Way[] = [
  { name: 'dpcap in Open vSwitch, copies', start: withAgent, mirror: COPIES },
  { name: 'dpcap in Open vSwitch, by reference', start: withAgent, mirror: REFERENCES },
];

/** Packets a second, in millions. */
async function rates(running: Switch, seconds: number): Promise<Sent> {
  const [start, before] = [process.hrtime.bigint(), await running.sent()];
  await sleep(seconds * 1000);
  const after = await running.sent();
  const mega = (Number(process.hrtime.bigint() - start) / 1e9) * MEGA;
  return {
    forwarded: (after.forwarded - before.forwarded) / mega,
    mirrored: (after.mirrored - before.mirrored) / mega,
  };
}

/** Resolves when copies are sent. */
async function untilMirrored(running: Switch): Promise<void> {
  for (const deadline = Date.now() + MIRRORED_MS; (await running.sent()).mirrored === 0; await sleep(LOOK_MS))
    if (Date.now() > deadline) throw new Error(`nothing was mirrored in ${MIRRORED_MS} ms`);
}

async function measure({ seconds }: Settings, size: number, way: Way, record: Record): Promise<void> {
  const running = await way.start(size);
  try {
    await sleep(SETTLE_MS);
    const without = await rates(running, seconds);
    await way.mirror(running);
    await untilMirrored(running);
    await sleep(SETTLE_MS);
    const beside = await rates(running, seconds);
    const sample = { variant: `${size} B`, tool: way.name };
    record({ ...sample, figure: 'forwarded without a mirror', value: without.forwarded, unit: 'Mpps' });
    record({ ...sample, figure: 'forwarded beside a mirror', value: beside.forwarded, unit: 'Mpps' });
    record({ ...sample, figure: MIRRORED, value: beside.mirrored, unit: 'Mpps' });
    record({ ...sample, figure: KEPT, value: (100 * beside.forwarded) / without.forwarded, unit: '%' });
  } finally {
    await running.stop();
  }
}

/** Each of one round's samples as a multiple of Open vSwitch's, where the CPUs were as far apart. */
function compare(samples: readonly Sample[], record: Record): void {
  for (const one of samples.filter(({ figure, tool }) => [KEPT, MIRRORED].includes(figure) && tool !== OWN.name)) {
    const own = samples.find(
      ({ figure, variant, tool }) => figure === one.figure && variant === one.variant && tool === OWN.name,
    );
    if (own === undefined) continue;
    record({ ...one, figure: `${one.figure}, in turns`, value: one.value / own.value, unit: "times Open vSwitch's" });
  }
}

export const mirrorPrice: Figure = {
  name: 'mirror',
  async measure(settings, record) {
    const { reason } = findOpenVswitch();
    if (reason) process.stderr.write(`nothing to compare with: ${reason}\n`);
    const openVswitch = settings.quick ? [OWN] : [OWN, ...IN_OPEN_VSWITCH];
    const ways = [...some(settings, IN_TESTPMD), ...(reason ? [] : openVswitch)];
    for (const size of some(settings, SIZES)) {
      for (let round = 0; round < settings.rounds; round++) {
        const samples: Sample[] = [];
        for (const way of turned(ways, round)) {
          await attempt(way.name, () =>
            atOneDistance(
              settings,
              (sample) => samples.push(sample),
              (to) => measure(settings, size, way, to),
            ),
          );
        }
        for (const sample of samples) record(sample);
        compare(samples, record);
      }
    }
  },
};
