/** Figures of a saturated primary: what is captured, and what forwarding it keeps. */
import { execFileSync } from 'node:child_process';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import {
  attempt,
  type Figure,
  fileIn,
  MEGA,
  type Record,
  type Settings,
  withPrimary,
  withTool,
  withWarmMemory,
} from './experiment.js';
import type { Primary } from './primary.js';
import { median } from './sample.js';
import { DPCAP_HOST, DPCAP_PCAP, DUMPCAP, PDUMP, TOOLS, type Tool, WRITE_LOOP } from './tools.js';

const BARE_DRAIN = fileURLToPath(new URL('../../build/bare_drain', import.meta.url));
/** As dpcap's own defaults make them: mbufs, and bytes of each. */
const BARE_POOL = ['32767', '2248'];
const WARM_UP_BYTES = 100_000;
const SETTLE_MS = 700;
/** Bytes in front of a packet in a pcap file. */
const PCAP_HEAD = 16;

async function keptFor(primary: Primary, seconds: number): Promise<number> {
  const kept: number[] = [];
  while (kept.length < seconds) kept.push(await primary.nextSecond());
  return median(kept) / MEGA;
}

/** Packets in the file a second, from its growth; and what the primary sent meanwhile. */
async function captureRate(settings: Settings, tool: Tool, size: number, record: Record): Promise<void> {
  const output = fileIn(settings);
  await withWarmMemory(settings, (memory) =>
    withPrimary({ rate: 0, size }, (primary) =>
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
        record({ ...sample, figure: 'captured when saturated', value: bytes / bytesEach / seconds / MEGA });
        record({ ...sample, figure: 'sent by the saturated primary meanwhile', value: kept });
      }),
    ),
  );
}

async function bareDrain(
  { seconds }: Settings,
  size: number,
  mode: 'plain' | 'stamped',
  record: Record,
): Promise<void> {
  await withPrimary({ rate: 0, size }, async ({ prefix }) => {
    const words = [prefix, 'net_null0', mode, ...BARE_POOL, String(seconds)];
    const value =
      Number(execFileSync(BARE_DRAIN, words, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] })) / MEGA;
    record({
      figure: 'captured when saturated',
      variant: `${size} B`,
      tool: `bare drain, ${mode}`,
      value,
      unit: 'Mpps',
    });
  });
}

export const saturated: Figure = {
  name: 'saturated',
  async measure(settings, record) {
    for (const size of settings.sizes) {
      for (let round = 0; round < settings.rounds; round++) {
        for (const tool of [...TOOLS, WRITE_LOOP])
          await attempt(tool.name, () => captureRate(settings, tool, size, record));
        for (const mode of ['plain', 'stamped'] as const) {
          await attempt(`bare drain, ${mode}`, () => bareDrain(settings, size, mode, record));
        }
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
      await withPrimary({ rate: 0, size: KEPT_SIZE }, async (primary) => {
        await primary.nextSecond();
        const value = await keptFor(primary, settings.seconds);
        record({ figure, variant: 'no capture', tool: 'none', value, unit: 'Mpps' });
      });
      for (const { variant, filter, snaplen, match } of WISHES) {
        for (const tool of [DPCAP_PCAP, DPCAP_HOST, DUMPCAP, PDUMP]) {
          const request = { output: fileIn(settings), filter, snaplen };
          if (!tool.command({ prefix: '', ...request })) continue;
          await attempt(tool.name, () =>
            withPrimary({ rate: 0, size: KEPT_SIZE, match }, (primary) =>
              withTool(tool, { prefix: primary.prefix, ...request }, async (running) => {
                await running.written(0);
                await sleep(KEPT_SETTLE_MS);
                const value = await keptFor(primary, settings.seconds);
                record({ figure, variant, tool: tool.name, value, unit: 'Mpps' });
              }),
            ),
          );
        }
      }
    }
  },
};
