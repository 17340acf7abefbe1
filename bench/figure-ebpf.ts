/** The price of probes: what a poll and a burst cost, what filters in the kernel save, and a primary that is paced. */
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { pickProbed } from '../src/ebpf/pick.js';
import { compileFilter } from '../src/filter/compile.js';
import { ebpfAddon } from '../src/native/addons.js';
import { filterNative } from '../src/primary/joining/filter-native.js';
import { undisturbed } from './cpu-watch.js';
import {
  attempt,
  type Figure,
  fileIn,
  MEGA,
  type Record,
  type Settings,
  some,
  withPrimary,
  withTool,
} from './experiment.js';
import { keptFor } from './figures-load.js';
import { lossAt } from './figures-paced.js';
import { DPCAP_EBPF } from './tools.js';

const PROBE_COST = fileURLToPath(new URL('../../build/bench_probe_cost', import.meta.url));
const SIZES = [64, 1514];
const RATE = 1e6;
const LOSS_MS = 10_000;

/** The filter as the kernel's program has it, in hexadecimal digits. */
function inKernel(filter: string): string {
  const program = compileFilter({ expressions: [filter] }, { native: filterNative() });
  return Buffer.from(program?.kernel?.tx ?? []).toString('hex');
}

/** What is asked for; the packets go to UDP port 9. */
const ways = (): [variant: string, way: string][] => [
  ['no probes', 'none'],
  ['no filter', 'copy'],
  ['a filter that refuses, in dpcap', 'engine'],
  ['a filter that refuses, in the kernel', inKernel('udp dst port 11')],
  ['a filter that selects, in the kernel', inKernel('udp dst port 9')],
];

function costs(settings: Settings, record: Record): void {
  const tool = DPCAP_EBPF.name;
  for (const bytes of some(settings, SIZES)) {
    for (const [variant, way] of ways()) {
      const ns = Number(execFileSync(PROBE_COST, [way, String(bytes)], { encoding: 'utf8' }));
      record({ figure: `a burst of 32 packets of ${bytes} B, sent`, variant, tool, value: ns, unit: 'ns' });
    }
  }
}

/** The rate of a primary that sends a million a second, without probes and with them; and what a capture loses of that. */
async function paced(settings: Settings, record: Record): Promise<void> {
  const sample = { figure: `sent by a primary that is paced at ${RATE / MEGA} Mpps, 64 B`, unit: 'Mpps' };
  await withPrimary({ rate: RATE, size: 64 }, async (primary) => {
    await primary.nextSecond();
    const target = pickProbed(primary.prefix).ebpf;
    const cost = target === undefined ? Number.NaN : ebpfAddon().pollCost(target);
    const poll = { figure: 'a poll without packets', variant: 'net_null', tool: DPCAP_EBPF.name };
    record({ ...poll, value: cost, unit: 'ns' });
    record({ ...sample, variant: 'no probes', tool: 'none', value: await keptFor(primary, settings.seconds) });
    const request = { prefix: primary.prefix, output: fileIn(settings) };
    await withTool(DPCAP_EBPF, request, async (running) => {
      await running.written(0);
      await primary.nextSecond();
      const value = await keptFor(primary, settings.seconds);
      record({ ...sample, variant: 'probes', tool: DPCAP_EBPF.name, value });
    });
  });
  const ms = settings.quick ? 500 : LOSS_MS;
  const missing = await lossAt(settings, DPCAP_EBPF, RATE, ms);
  const figure = `lost at ${RATE / MEGA} Mpps in ${ms / 1000} s, 64 B`;
  record({ figure, variant: 'default settings', tool: DPCAP_EBPF.name, value: missing, unit: 'packets' });
}

export const probes: Figure = {
  name: 'ebpf',
  async measure(settings, record) {
    for (let round = 0; round < settings.rounds; round++) {
      await attempt('costs', async () => costs(settings, record));
      await attempt('paced', () => undisturbed(settings, record, (to) => paced(settings, to)));
    }
  },
};
