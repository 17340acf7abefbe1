/**
 * A capture that goes on, into a ring of compressed files: `npm run test:long-capture -- [--minutes 30] [--rate 200000]
 * [--size 64] [--seconds 10] [--via pdump|agent] [--dir DIR]`. Nothing may be lost but what is counted: what all files say they
 * have, and the losses, are what the primary sent meanwhile, which numbers its packets. The memory, descriptors and threads of
 * each of dpcap's processes may not grow from the second third of the time to the last (scripts/testing/steady.ts).
 */
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { buildParts, type Primary, startPrimary } from '../bench/primary.js';
import { type StatsRecord, sum } from '../src/supervisor/report/stats-record.js';
import { alignRows } from '../src/text/table.js';
import { LiveCapture } from '../test/harness/capture.js';
import { enginePid } from '../test/harness/engine.js';
import { startDpcap } from '../test/harness/processes.js';
import { RingLedger } from './testing/ring-ledger.js';
import { growthIn, type Sample, sampleOf, thirdsOf } from './testing/steady.js';

const SAMPLE_MS = 10_000;
const LEAST_SAMPLES = 18;
const RING = 6;

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '30' },
    rate: { type: 'string', default: '200000' },
    size: { type: 'string', default: '64' },
    seconds: { type: 'string', default: '10' },
    via: { type: 'string', default: 'pdump' },
    dir: { type: 'string', default: tmpdir() },
  },
});
const totalMs = Number(values.minutes) * 60_000;
const folder = mkdtempSync(join(values.dir, 'dpcap-long-'));

/** Captures for the given time. Resolves with the last record, and the samples of each process. */
async function captured(
  { prefix }: Primary,
  ledger: RingLedger,
): Promise<{ final: StatsRecord | undefined; samples: Map<string, Sample[]>; messages: string }> {
  const ring = ['-b', `duration:${values.seconds}`, '-b', `files:${RING}`, '--compress', 'zstd'];
  const from = ['--file-prefix', prefix, '--via', values.via, '-i', '0', '-Q', 'tx'];
  const stats = ['-B', '32768', '--stats', 'ndjson', '--stats-interval', '1'];
  const running = new LiveCapture(startDpcap([...from, '-w', join(folder, 'x.pcapng.zst'), ...ring, ...stats]));
  await running.started();
  const pids = { supervisor: running.pid, engine: enginePid(running.pid) };
  const samples = new Map<string, Sample[]>(Object.keys(pids).map((name) => [name, []]));
  const everyMs = Math.min(SAMPLE_MS, totalMs / LEAST_SAMPLES);
  const end = performance.now() + totalMs;
  for (let next = performance.now(); next < end; ) {
    next += everyMs;
    while (performance.now() < next) await ledger.enter((await running.next()).files);
    for (const [name, pid] of Object.entries(pids)) samples.get(name)?.push(sampleOf(pid));
  }
  const { final, messages } = await running.stop();
  await ledger.enter(final?.files ?? []);
  return { final, samples, messages };
}

/** What is wrong with the figures, in words. */
async function faultsIn(final: StatsRecord | undefined, ledger: RingLedger): Promise<string[]> {
  const lanes = final?.ports ?? [];
  const lost = sum(lanes, 'nombuf') + sum(lanes, 'ringfull') + sum(lanes, 'sinkdrop');
  const sent = await ledger.sent();
  const missing = sent - ledger.packets;
  console.log(`${sent} packets sent from the first in a file to the last; ${ledger.packets} in ${ledger.files} files`);
  console.log(`${lost} counted as lost, of which ${lost - missing} before the first or behind the last`);
  const left = readdirSync(folder).length;
  return [
    ...(final?.file_count === ledger.files ? [] : [`${final?.file_count} files were made, ${ledger.files} seen`]),
    ...(final?.packets === ledger.packets ? [] : [`dpcap says that ${final?.packets} packets are in them`]),
    ...(missing >= 0 && missing <= lost ? [] : [`${missing} packets are missing, ${lost} are counted as lost`]),
    ...(left === Math.min(RING, ledger.files) ? [] : [`${left} files are left of a ring of ${RING}`]),
  ];
}

function show(samples: Map<string, Sample[]>): string[] {
  const thirds = [...samples].map(([name, of]) => ({ name, ...thirdsOf(of) }));
  const words = (figures: number[], digits: number): string => figures.map((one) => one.toFixed(digits)).join('  ');
  const rows = thirds.map(({ name, memoryMb, descriptors, threads }) => [
    name,
    words(memoryMb, 1),
    words(descriptors, 0),
    words(threads, 0),
  ]);
  const head = ['PROCESS', 'RSS MiB, MEDIAN OF EACH THIRD', 'DESCRIPTORS, MOST', 'THREADS, MOST'];
  console.log(alignRows([head, ...rows]).join('\n'));
  return thirds.flatMap(({ name, ...of }) => growthIn(name, of));
}

async function main(): Promise<number> {
  buildParts();
  const unpacked = mkdtempSync(join(tmpdir(), 'dpcap-ledger-'));
  const ledger = new RingLedger(unpacked);
  const primary = await startPrimary({
    ...{ rate: Number(values.rate), size: Number(values.size), agent: values.via === 'agent' },
    seconds: totalMs / 1000 + 600,
  });
  try {
    const { final, samples, messages } = await captured(primary, ledger);
    const faults = [...(await faultsIn(final, ledger)), ...show(samples)];
    if (faults.length > 0) console.log(messages);
    console.log(
      faults.length > 0 ? faults.join('\n') : `steady, and every packet accounted for, in ${values.minutes} min`,
    );
    return faults.length > 0 ? 1 : 0;
  } finally {
    await primary.stop();
    for (const one of [unpacked, folder]) rmSync(one, { recursive: true, force: true });
  }
}

process.exitCode = await main();
