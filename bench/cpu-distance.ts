/**
 * How far apart the primary's CPU and the tools' are. The host of a virtual machine moves its CPUs now and then, onto one
 * die or onto two: what goes from core to core, which is all that a capture does, is several times slower then. So
 * figures are told apart by it, and what is measured while it changes does not count.
 */
import { execFileSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { undisturbed } from './cpu-watch.js';
import type { Record, Settings } from './experiment.js';
import type { Sample } from './sample.js';

const ROUND_TRIP = fileURLToPath(new URL('../../build/round_trip', import.meta.url));
/** Within a die a cache line is there and back in about 100 ns, between two in 300 to 500. */
const NEAR_NS = 200;

const distance = (): string =>
  Number(execFileSync(ROUND_TRIP, ['0', '1'], { encoding: 'utf8' })) < NEAR_NS ? 'CPUs near' : 'CPUs far';

/** Adds the distance to the variant of what `run` records; a sign of life has none. */
export async function atOneDistance(
  settings: Settings,
  record: Record,
  run: (record: Record) => Promise<void>,
): Promise<void> {
  if (settings.quick) return run(record);
  const samples: Sample[] = [];
  const before = distance();
  await undisturbed(settings, (sample) => samples.push(sample), run);
  if (distance() !== before) {
    process.stderr.write('the CPUs were moved\n');
    return;
  }
  for (const sample of samples) record({ ...sample, variant: `${sample.variant}, ${before}` });
}
