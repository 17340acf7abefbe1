/**
 * `npm run unharmed [-- --minutes N] [--seed N] [--steps N] [--outside-kills]`: whether a primary at full load lives
 * through whatever happens to it, to its other secondaries, and to captures from it. Each step is printed; what went
 * wrong is replayed with the same seed.
 */
import { parseArgs } from 'node:util';
import { requirements } from '../test/harness/requirements.js';
import { runTrial } from '../test/harness/trial/run.js';

const MINUTES = 10;
const SEEDS = 1_000_000;

function numberOf(name: string, text: string | undefined, fallback: number): number {
  const value = text === undefined ? fallback : Number(text);
  if (!(value > 0)) throw new Error(`--${name}: ${text} is not a positive number`);
  return value;
}

async function main(): Promise<number> {
  const { values } = parseArgs({
    options: {
      minutes: { type: 'string' },
      seed: { type: 'string' },
      steps: { type: 'string' },
      'outside-kills': { type: 'boolean' },
    },
  });
  const lacking = requirements({ hugepagesMb: 1024 });
  if (lacking) throw new Error(lacking);
  const seed = Math.floor(numberOf('seed', values.seed, 1 + Math.random() * SEEDS));
  const minutes = numberOf('minutes', values.minutes, MINUTES);
  const steps = numberOf('steps', values.steps, Number.POSITIVE_INFINITY);
  const outsideKills = values['outside-kills'] ?? false;
  console.log(`seed ${seed}, ${minutes} minutes at most`);
  const result = await runTrial({ seed, seconds: minutes * 60, steps, outsideKills, log: console.log });
  for (const [name, count] of Object.entries(result.taken).sort()) console.log(`${String(count).padStart(5)}  ${name}`);
  console.log(
    `${String(result.refusals).padStart(5)}  times EAL refused a port because of a killed secondary's socket`,
  );
  if (outsideKills) console.log(`${result.lockedByKills} kills inside of EAL left a lock held, as they may`);
  if (result.harm === undefined) {
    console.log(`unharmed after ${result.steps} steps`);
    return 0;
  }
  console.log(`HARMED in step ${result.steps}: ${result.harm}`);
  console.log(
    `replay: npm run unharmed -- --seed ${seed} --steps ${result.steps}${outsideKills ? ' --outside-kills' : ''}`,
  );
  return 1;
}

process.exitCode = await main();
