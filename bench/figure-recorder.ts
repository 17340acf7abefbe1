/** The price of a flight recorder: what a saturated primary keeps of its rate, beside captures of the same into a file. */
import { execFileSync } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { atOneDistance } from './cpu-distance.js';
import { attempt, type Figure, fileIn, type Record, type Settings, some, withPrimary, withTool } from './experiment.js';
import { keptFor } from './figures-load.js';
import type { Primary } from './primary.js';
import { DPCAP, DPCAP_AGENT } from './tools.js';

const SIZES = [64, 512];
const SETTLE_MS = 1500;
const MEMORY = '256M';

/** What is recorded of each packet. */
const WISHES: { variant: string; snaplen?: number }[] = [
  { variant: 'everything' },
  { variant: 'headers, snaplen 96', snaplen: 96 },
];

/** One way to have a primary's packets: begins it, and returns how it ends. */
type Way = (
  primary: Primary,
  settings: Settings,
  snaplen: number | undefined,
  run: () => Promise<void>,
) => Promise<void>;

const none: Way = (_primary, _settings, _snaplen, run) => run();

const recorder: Way = async ({ prefix }, _settings, snaplen, run) => {
  const ask = (verb: string, ...words: string[]): void => {
    execFileSync(process.execPath, [DPCAP, 'recorder', verb, '--file-prefix', prefix, ...words], { stdio: 'ignore' });
  };
  ask('on', '-Q', 'tx', '--memory', MEMORY, ...(snaplen ? ['-s', String(snaplen)] : []));
  await run().finally(() => ask('off'));
};

const file: Way = async ({ prefix }, settings, snaplen, run) =>
  withTool(DPCAP_AGENT, { prefix, output: fileIn(settings), snaplen }, async (running) => {
    await running.written(0);
    await run();
  });

const WAYS: [name: string, Way][] = [
  ['none', none],
  ['dpcap, recorder', recorder],
  ['dpcap, agent, into a file', file],
];

async function measure(
  settings: Settings,
  size: number,
  [tool, way]: (typeof WAYS)[number],
  record: Record,
): Promise<void> {
  for (const { variant, snaplen } of some(settings, WISHES)) {
    await attempt(`${tool}, ${variant}`, () =>
      atOneDistance(settings, record, (to) =>
        withPrimary({ rate: 0, size, agent: true }, async (primary) => {
          await primary.nextSecond();
          await way(primary, settings, snaplen, async () => {
            await sleep(SETTLE_MS);
            const value = await keptFor(primary, settings.seconds);
            to({ figure: `forwarding kept with a recorder, ${size} B`, variant, tool, value, unit: 'Mpps' });
          });
        }),
      ),
    );
  }
}

export const recorderPrice: Figure = {
  name: 'recorder',
  async measure(settings, record) {
    for (const size of some(settings, SIZES)) {
      for (let round = 0; round < settings.rounds; round++) {
        for (const way of WAYS) await measure(settings, size, way, record);
      }
    }
  },
};
