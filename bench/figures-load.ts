/** Figures of a saturated primary: what is captured, and what forwarding it keeps. */
import { execFileSync } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { atOneDistance } from './cpu-distance.js';
import { undisturbed } from './cpu-watch.js';
import {
  attempt,
  type Figure,
  fileIn,
  MEGA,
  type Record,
  type Settings,
  some,
  turned,
  withPrimary,
  withTool,
  withWarmMemory,
} from './experiment.js';
import type { Primary } from './primary.js';
import { median } from './sample.js';
import {
  DPCAP_AGENT,
  DPCAP_EBPF,
  DPCAP_HOST,
  DPCAP_PCAP,
  DUMPCAP,
  PDUMP,
  TOOLS,
  type Tool,
  WRITE_LOOP,
} from './tools.js';

const BARE_DRAIN = fileURLToPath(new URL('../../build/bare_drain', import.meta.url));
/** As dpcap's own defaults make it: mbufs of 2248 bytes. One that holds less would need several for a packet. */
const BARE_MBUFS = 65535;
const BARE_BYTES = 2248;
const WARM_UP_BYTES = 100_000;
const SETTLE_MS = 700;
const CAPTURED = 'captured when saturated';
/** Bytes in front of a packet in a pcap file. */
const PCAP_HEAD = 16;

/** The median of what it sends in each of so many seconds, in millions. */
export async function keptFor(primary: Primary, seconds: number): Promise<number> {
  const kept: number[] = [];
  while (kept.length < seconds) kept.push(await primary.nextSecond());
  return median(kept) / MEGA;
}

/** Packets in the file a second, from its growth; and what the primary sent meanwhile. */
async function captureRate(settings: Settings, tool: Tool, size: number, record: Record): Promise<void> {
  const output = fileIn(settings);
  await withWarmMemory(settings, (memory) =>
    withPrimary({ rate: 0, size, agent: tool.agent }, (primary) =>
      withTool(tool, { prefix: primary.prefix, output }, async (running) => {
        await running.written(WARM_UP_BYTES);
        const stopFollowing = memory.follow(() => running.fileBytes());
        await sleep(SETTLE_MS);
        const [start, before] = [process.hrtime.bigint(), running.fileBytes()];
        const kept = await keptFor(primary, settings.seconds);
        const seconds = Number(process.hrtime.bigint() - start) / 1e9;
        const bytes = running.fileBytes() - before;
        await running.stop();
        stopFollowing();
        const bytesEach = tool === WRITE_LOOP ? size + PCAP_HEAD : running.fileBytes() / running.findings().packets;
        const sample = { variant: `${size} B`, tool: tool.name, unit: 'Mpps' };
        record({ ...sample, figure: CAPTURED, value: bytes / bytesEach / seconds / MEGA });
        record({ ...sample, figure: 'sent by the saturated primary meanwhile', value: kept });
      }),
    ),
  );
}

/** With `read`, of a loop that also looks at the packets. */
const BARE_DRAINS = [['plain'], ['plain', 'read'], ['stamped'], ['stamped', 'read']] as const;

async function bareDrain(
  { seconds }: Settings,
  size: number,
  [mode, ...reads]: (typeof BARE_DRAINS)[number],
  record: Record,
): Promise<void> {
  await withPrimary({ rate: 0, size }, async ({ prefix }) => {
    const bytes = Math.max(BARE_BYTES, size + 200);
    const mbufs = 2 ** Math.floor(Math.log2((BARE_MBUFS * BARE_BYTES) / bytes + 1)) - 1;
    const words = [prefix, 'net_null0', mode, String(mbufs), String(bytes), String(seconds), ...reads];
    const out = execFileSync(BARE_DRAIN, words, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
    const tool = ['bare drain', mode, ...reads].join(' ');
    record({ figure: CAPTURED, variant: `${size} B`, tool, value: Number(out) / MEGA, unit: 'Mpps' });
  });
}

export const saturated: Figure = {
  name: 'saturated',
  async measure(settings, record) {
    for (const size of settings.sizes) {
      for (let round = 0; round < settings.rounds; round++) {
        for (const tool of turned([...TOOLS, WRITE_LOOP], round)) {
          await attempt(tool.name, () =>
            atOneDistance(settings, record, (to) => captureRate(settings, tool, size, to)),
          );
        }
        // Held, or the host takes the memory back meanwhile, and the first tool after it has it slower.
        await withWarmMemory(settings, async () => {
          for (const drain of some(settings, BARE_DRAINS)) {
            await attempt(drain.join(' '), () =>
              atOneDistance(settings, record, (to) => bareDrain(settings, size, drain, to)),
            );
          }
        });
      }
    }
  },
};

/** What is asked of the tools while the primary forwards; the traffic goes to port 9 or 10. */
const WISHES: { variant: string; filter?: string; snaplen?: number; match: number }[] = [
  { variant: 'all', match: 100 },
  { variant: 'all, snaplen 96', snaplen: 96, match: 100 },
  { variant: 'filter: 1 %', filter: 'udp dst port 9', match: 1 },
  { variant: 'filter: nothing', filter: 'udp dst port 11', match: 100 },
];
const KEPT_SIZE = 512;
const KEPT_SETTLE_MS = 1500;

export const kept: Figure = {
  name: 'kept',
  async measure(settings, record) {
    const figure = `forwarding kept, ${KEPT_SIZE} B`;
    for (let round = 0; round < settings.rounds; round++) {
      await undisturbed(settings, record, (to) =>
        withPrimary({ rate: 0, size: KEPT_SIZE }, async (primary) => {
          await primary.nextSecond();
          const value = await keptFor(primary, settings.seconds);
          to({ figure, variant: 'no capture', tool: 'none', value, unit: 'Mpps' });
        }),
      );
      for (const { variant, filter, snaplen, match } of some(settings, WISHES)) {
        for (const tool of some(settings, [DPCAP_PCAP, DPCAP_AGENT, DPCAP_EBPF, DPCAP_HOST, DUMPCAP, PDUMP])) {
          const request = { output: fileIn(settings), filter, snaplen };
          if (!tool.command({ prefix: '', ...request })) continue;
          await attempt(tool.name, () =>
            atOneDistance(settings, record, (to) =>
              withPrimary({ rate: 0, size: KEPT_SIZE, match, agent: tool.agent }, (primary) =>
                withTool(tool, { prefix: primary.prefix, ...request }, async (running) => {
                  await running.written(0);
                  await sleep(KEPT_SETTLE_MS);
                  const value = await keptFor(primary, settings.seconds);
                  to({ figure, variant, tool: tool.name, value, unit: 'Mpps' });
                }),
              ),
            ),
          );
        }
      }
    }
  },
};
