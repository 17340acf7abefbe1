/** Packets that each tool takes from a saturated primary when the output costs nothing: into /dev/null. */
import { symlinkSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { atOneDistance } from './cpu-distance.js';
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
import { DPCAP_AGENT, DPCAP_HOST, DPCAP_PCAP, DUMPCAP, type Tool } from './tools.js';

const SIZE = 64;
const SETTLE_MS = 1500;
const WARM_UP_BYTES = 100_000;

/** Bytes of a record of this tool, from a short file. */
async function bytesEach(settings: Settings, tool: Tool): Promise<number> {
  let bytes = Number.NaN;
  await withPrimary({ rate: 1e5, size: SIZE, agent: tool.agent }, ({ prefix }) =>
    withTool(tool, { prefix, output: fileIn(settings) }, async (running) => {
      await running.written(WARM_UP_BYTES);
      await running.stop();
      bytes = running.fileBytes() / running.findings().packets;
    }),
  );
  return bytes;
}

async function takenRate(settings: Settings, tool: Tool, bytes: number, record: Record): Promise<void> {
  // A link, which is what is removed afterwards.
  const output = `${fileIn(settings)}.null`;
  symlinkSync('/dev/null', output);
  await withPrimary({ rate: 0, size: SIZE, agent: tool.agent }, ({ prefix }) =>
    withTool(tool, { prefix, output }, async (running) => {
      await sleep(SETTLE_MS);
      const [before, start] = [running.bytesWritten(), process.hrtime.bigint()];
      await sleep(settings.seconds * 1000);
      const rate = (running.bytesWritten() - before) / bytes / (Number(process.hrtime.bigint() - start) / 1e9);
      record({
        figure: `into /dev/null, saturated`,
        variant: `${SIZE} B`,
        tool: tool.name,
        value: rate / MEGA,
        unit: 'Mpps',
      });
    }),
  );
}

export const intoNull: Figure = {
  name: 'null',
  async measure(settings, record) {
    const tools = some(settings, [DPCAP_PCAP, DPCAP_AGENT, DPCAP_HOST, DUMPCAP]);
    const sizes = new Map<Tool, number>();
    for (const tool of tools)
      await attempt(tool.name, async () => void sizes.set(tool, await bytesEach(settings, tool)));
    for (let round = 0; round < settings.rounds; round++) {
      for (const [tool, bytes] of sizes) {
        await attempt(tool.name, () => atOneDistance(settings, record, (to) => takenRate(settings, tool, bytes, to)));
      }
    }
  },
};
