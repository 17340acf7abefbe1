/**
 * `npm run bench`: dpcap beside dpdk-dumpcap and dpdk-pdump, in turns, and bare loops that do less than any tool must.
 * Prints tables with medians and ranges, and JSON. bench/RESULTS.md says what it gave.
 *   --figures LIST    of those named below (default: all)
 *   --rounds N        how often each is measured (default 3)
 *   --seconds N       of each measurement (default 3)
 *   --sizes LIST      of packets, for the saturated figures (default 64,512,1518,9000)
 *   --directory DIR   where files are written (default /dev/shm)
 *   --json FILE       the medians as JSON
 *   --disturbed       show samples during which something else used the CPUs apart, instead of leaving them out
 *   --quick           a sign of life of each figure, no measurement
 */
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import type { Figure, Settings } from './experiment.js';
import { probes } from './figure-ebpf.js';
import { instructions } from './figure-instructions.js';
import { mirrorPrice } from './figure-mirror.js';
import { intoNull } from './figure-null.js';
import { recorderPrice } from './figure-recorder.js';
import { kept, saturated } from './figures-load.js';
import { cpu, latency, lossFree, pipe } from './figures-paced.js';
import { buildParts } from './primary.js';
import { markdown, type Sample, summarise } from './sample.js';

const FIGURES: Figure[] = [
  saturated,
  intoNull,
  kept,
  lossFree,
  pipe,
  cpu,
  latency,
  instructions,
  recorderPrice,
  probes,
  mirrorPrice,
];

const { values } = parseArgs({
  options: {
    figures: { type: 'string', default: FIGURES.map(({ name }) => name).join(',') },
    rounds: { type: 'string', default: '3' },
    seconds: { type: 'string', default: '3' },
    sizes: { type: 'string', default: '64,512,1518,9000' },
    directory: { type: 'string', default: '/dev/shm' },
    json: { type: 'string' },
    disturbed: { type: 'boolean', default: false },
    quick: { type: 'boolean', default: false },
  },
});

const settings: Settings = {
  rounds: values.quick ? 1 : Number(values.rounds),
  seconds: values.quick ? 1 : Number(values.seconds),
  sizes: values.quick ? [64] : values.sizes.split(',').map(Number),
  directory: values.directory,
  quick: values.quick,
  keepsDisturbed: values.disturbed,
};
const samples: Sample[] = [];
buildParts();
for (const name of values.figures.split(',')) {
  const figure = FIGURES.find((one) => one.name === name);
  if (!figure) throw new Error(`there is no figure ${name}: ${FIGURES.map((one) => one.name).join(', ')}`);
  process.stderr.write(`${figure.name} ...\n`);
  await figure.measure(settings, (sample) => samples.push(sample));
}
const summaries = summarise(samples);
process.stdout.write(`${markdown(summaries)}\n`);
if (values.json) writeFileSync(values.json, `${JSON.stringify(summaries, null, 2)}\n`);
