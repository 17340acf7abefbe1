/** Figures at a given rate: what is lost, what it costs, and how good the timestamps are. */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync, rmSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { atOneDistance } from './cpu-distance.js';
import { disturbance, readCpuTimes, undisturbed } from './cpu-watch.js';
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
  withWarmMemory,
} from './experiment.js';
import { DPCAP_AGENT, DPCAP_EBPF, DPCAP_HOST, DPCAP_PCAP, DUMPCAP, PDUMP, type Tool } from './tools.js';
import { memoryToSpare, type WarmMemory } from './warm-memory.js';

const SIZE = 64;
const PACED = [DPCAP_PCAP, DPCAP_AGENT, DPCAP_EBPF, DPCAP_HOST, DUMPCAP, PDUMP];
const IDLE: [variant: string, rate: number] = ['idle', 1];
const RATES: [variant: string, rate: number][] = [
  ['10 kpps', 1e4],
  ['1 Mpps', 1e6],
];
/** Mpps. */
const LADDER = [0.25, 0.5, 1, 2, 3, 4, 5, 6, 7, 8, 10, 12, 15, 20];
const LOSS_FREE_MS = 10_000;
const MARGIN_MS = 500;
/** Bytes in front of a packet in a pcap file, which those that reach high rates write. */
const PCAP_HEAD = 16;
/** What bench/inspect.cc takes for each packet while its vector grows. */
const INSPECTED_BYTES = 24;

/** Packets of such a run: a tool needs a moment to start and to end. */
const packetsIn = (rate: number, ms: number): number => rate * ((ms + MARGIN_MS) / 1000);

/** Packets lost in the middle of a run at this rate. @throws Error when the file has no room in this machine's memory */
export async function lossAt(settings: Settings, tool: Tool, rate: number, ms: number): Promise<number> {
  let missing = Number.NaN;
  const output = fileIn(settings);
  const run = (memory: WarmMemory): Promise<void> =>
    withPrimary({ rate, size: SIZE, agent: tool.agent }, ({ prefix }) =>
      withTool(tool, { prefix, output }, async (running) => {
        await running.written(10_000);
        const stopFollowing = memory.follow(() => running.fileBytes());
        await sleep(ms);
        await running.stop();
        stopFollowing();
        ({ missing } = running.findings());
      }),
    );
  await withWarmMemory(settings, run, packetsIn(rate, ms) * (SIZE + PCAP_HEAD));
  return missing;
}

/** The highest rate without a loss, Mpps. @throws Error when something else used the CPUs during the run that lost */
async function highestRate(settings: Settings, tool: Tool, ms: number): Promise<number> {
  let highest = 0;
  for (const rate of some(settings, LADDER)) {
    const bytes = packetsIn(rate * MEGA, ms) * (SIZE + PCAP_HEAD + INSPECTED_BYTES);
    if (bytes > memoryToSpare()) {
      process.stderr.write(`${tool.name}: not tried above ${highest} Mpps: the file does not fit into memory\n`);
      break;
    }
    const before = readCpuTimes();
    if ((await lossAt(settings, tool, rate * MEGA, ms)) !== 0) {
      const disturbed = settings.quick ? undefined : disturbance(before, readCpuTimes());
      if (disturbed) throw new Error(`left out, ${rate} Mpps: ${disturbed}`);
      break;
    }
    highest = rate;
  }
  return highest;
}

export const lossFree: Figure = {
  name: 'loss-free',
  async measure(settings, record) {
    const ms = settings.quick ? 500 : LOSS_FREE_MS;
    for (let round = 0; round < settings.rounds; round++) {
      for (const tool of some(settings, PACED)) {
        await attempt(tool.name, async () => {
          const value = await highestRate(settings, tool, ms);
          const figure = `highest loss-free rate, ${SIZE} B, ${ms / 1000} s`;
          record({ figure, variant: 'default settings', tool: tool.name, value, unit: 'Mpps' });
        });
      }
    }
  },
};

/** Each is given the name of a pipe. */
const READERS: { variant: string; command: [string, ...string[]] }[] = [
  { variant: 'cat', command: ['cat'] },
  { variant: 'tcpdump -w /dev/null', command: ['tcpdump', '-w', '/dev/null', '-r'] },
];

/** Bytes that a process has read. */
const bytesRead = (pid: number): number => Number(/^rchar: (\d+)/m.exec(readFileSync(`/proc/${pid}/io`, 'utf8'))?.[1]);

async function pipeRate(
  settings: Settings,
  tool: Tool,
  reader: (typeof READERS)[number],
  record: Record,
): Promise<void> {
  const fifo = fileIn(settings);
  execFileSync('mkfifo', [fifo]);
  const [program, ...words] = reader.command;
  const child = spawn(program, [...words, fifo], { stdio: 'ignore' });
  const ended = once(child, 'exit');
  const stdout = openSync(fifo, 'w');
  const pid = child.pid as number;
  try {
    await withPrimary({ rate: 0, size: SIZE, agent: tool.agent }, ({ prefix }) =>
      withTool(
        tool,
        { prefix, output: '-' },
        async () => {
          await sleep(2000);
          const [before, start] = [bytesRead(pid), process.hrtime.bigint()];
          await sleep(settings.seconds * 1000);
          const rate = (bytesRead(pid) - before) / (Number(process.hrtime.bigint() - start) / 1e9);
          const figure = `through a pipe, saturated, ${SIZE} B`;
          record({ figure, variant: reader.variant, tool: tool.name, value: rate / MEGA, unit: 'MB/s' });
        },
        stdout,
      ),
    );
  } finally {
    closeSync(stdout);
    await ended;
    rmSync(fifo);
  }
}

export const pipe: Figure = {
  name: 'pipe',
  async measure(settings, record) {
    for (let round = 0; round < settings.rounds; round++) {
      for (const reader of some(settings, READERS)) {
        for (const tool of some(settings, [DPCAP_PCAP, DPCAP_AGENT, DPCAP_HOST, DUMPCAP])) {
          await attempt(tool.name, () => atOneDistance(settings, record, (to) => pipeRate(settings, tool, reader, to)));
        }
      }
    }
  },
};

export const cpu: Figure = {
  name: 'cpu',
  async measure(settings, record) {
    for (let round = 0; round < settings.rounds; round++) {
      for (const [variant, rate] of some(settings, [IDLE, ...RATES])) {
        for (const tool of some(settings, PACED)) {
          await attempt(tool.name, () =>
            undisturbed(settings, record, (to) => cpuUse(settings, tool, variant, rate, to)),
          );
        }
      }
    }
  },
};

async function cpuUse(settings: Settings, tool: Tool, variant: string, rate: number, record: Record): Promise<void> {
  await withPrimary({ rate, size: SIZE, agent: tool.agent }, ({ prefix }) =>
    withTool(tool, { prefix, output: fileIn(settings) }, async (running) => {
      await running.written(0);
      await sleep(settings.quick ? 500 : 3000);
      const [before, start] = [running.cpuSeconds(), process.hrtime.bigint()];
      await sleep(settings.seconds * 1000);
      const share = (running.cpuSeconds() - before) / (Number(process.hrtime.bigint() - start) / 1e9);
      record({ figure: 'CPU', variant, tool: tool.name, value: share * 100, unit: '% of a core' });
      record({ figure: 'memory', variant, tool: tool.name, unit: 'MiB resident', value: running.residentMib() });
    }),
  );
}

export const latency: Figure = {
  name: 'latency',
  async measure(settings, record) {
    for (let round = 0; round < settings.rounds; round++) {
      await attempt('node', () => undisturbed(settings, record, nodeAlone));
      for (const tool of some(settings, PACED)) {
        await attempt(tool.name, () => undisturbed(settings, record, (to) => firstPacket(settings, tool, to)));
        for (const [variant, rate] of some(settings, RATES)) {
          await attempt(tool.name, () =>
            undisturbed(settings, record, (to) => timestampError(settings, tool, variant, rate, to)),
          );
        }
      }
    }
  },
};

const FIRST_PACKET = { figure: 'command to first packet', variant: '100 kpps', unit: 's' };

/** What a command of dpcap's waits for before a line of dpcap is run. */
async function nodeAlone(record: Record): Promise<void> {
  const start = process.hrtime.bigint();
  execFileSync(process.execPath, ['-e', '']);
  record({ ...FIRST_PACKET, tool: 'node alone', value: Number(process.hrtime.bigint() - start) / 1e9 });
}

async function firstPacket(settings: Settings, tool: Tool, record: Record): Promise<void> {
  await withPrimary({ rate: 1e5, size: SIZE, agent: tool.agent }, async ({ prefix }) => {
    const start = process.hrtime.bigint();
    await withTool(tool, { prefix, output: fileIn(settings) }, async (running) => {
      await running.written(1000);
      const value = Number(process.hrtime.bigint() - start) / 1e9;
      record({ ...FIRST_PACKET, tool: tool.name, value });
    });
  });
}

async function timestampError(
  settings: Settings,
  tool: Tool,
  variant: string,
  rate: number,
  record: Record,
): Promise<void> {
  await withPrimary({ rate, size: SIZE, agent: tool.agent }, ({ prefix }) =>
    withTool(tool, { prefix, output: fileIn(settings) }, async (running) => {
      await running.written(0);
      await sleep(settings.seconds * 1000);
      await running.stop();
      const { medianNs, p99Ns } = running.findings();
      const sample = { figure: 'timestamp behind the send time', tool: tool.name, unit: 'us' };
      record({ ...sample, variant: `${variant}, median`, value: (medianNs ?? Number.NaN) / 1000 });
      record({ ...sample, variant: `${variant}, p99`, value: (p99Ns ?? Number.NaN) / 1000 });
    }),
  );
}
