/** A trial: random steps, seeded and replayable, and after each the question whether the primary still answers. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Random } from '../../helpers/random.js';
import { CAPTURE_STEPS, OUTSIDE_KILL } from './capture-steps.js';
import { PRIMARY_STEPS } from './primary-steps.js';
import { SECONDARY_STEPS } from './secondary-steps.js';
import type { Step } from './step.js';
import { Harm, World } from './world.js';

export interface TrialOptions {
  /** The same seed gives the same steps, as far as what they meet is the same. */
  seed: number;
  /** It ends after so many seconds, or so many steps. */
  seconds: number;
  steps: number;
  /** Kill engines inside of EAL as well: a lock that stays held then is counted, and the primary restarted. */
  outsideKills?: boolean;
  log(line: string): void;
}

export interface TrialResult {
  steps: number;
  /** How often each kind of step was taken. */
  taken: Record<string, number>;
  /** Locks that a kill from outside left held: by its nature, and none of ours. */
  lockedByKills: number;
  /** Ports that EAL refused because of the socket that a killed secondary left. */
  refusals: number;
  /** What must never happen, if it did. */
  harm: string | undefined;
}

/** Spreads step numbers over the generator's states. */
const STRIDE = 0x9e3779b9;

/** Runs one. Never rejects for what it found. */
export async function runTrial(options: TrialOptions): Promise<TrialResult> {
  const folder = mkdtempSync(join(tmpdir(), 'dpcap-unharmed-'));
  const world = new World(folder);
  const result: TrialResult = { steps: 0, taken: {}, lockedByKills: 0, refusals: 0, harm: undefined };
  try {
    await world.startPrimary();
    await takeSteps(world, options, result);
    await world.finish();
  } catch (error) {
    result.harm = error instanceof Harm ? error.message : String((error as Error).stack);
    await world.abandon();
  } finally {
    result.refusals = world.refusals;
    rmSync(folder, { recursive: true, force: true });
  }
  return result;
}

async function takeSteps(world: World, options: TrialOptions, result: TrialResult): Promise<void> {
  const deadline = performance.now() + options.seconds * 1000;
  const all = [...PRIMARY_STEPS, ...SECONDARY_STEPS, ...CAPTURE_STEPS, ...(options.outsideKills ? [OUTSIDE_KILL] : [])];
  while (result.steps < options.steps && performance.now() < deadline) {
    const random = new Random((options.seed + STRIDE * ++result.steps) >>> 0);
    const step = pickStep(
      all.filter((one) => one.applies(world)),
      random,
    );
    result.taken[step.name] = (result.taken[step.name] ?? 0) + 1;
    const began = performance.now();
    const log = (outcome: string): void => {
      const seconds = ((performance.now() - began) / 1000).toFixed(1);
      options.log(`${String(result.steps).padStart(4)}  ${seconds.padStart(5)} s  ${step.name}: ${outcome}`);
    };
    const take = async (): Promise<void> => {
      log(await step.run(world, random));
      await world.reap();
      await world.check();
    };
    try {
      await take();
    } catch (error) {
      if (step !== OUTSIDE_KILL || !(await isByNature(world, error))) {
        log('HARM');
        throw error;
      }
      result.lockedByKills++;
      log('it has left a lock held: the primary is restarted');
      await world.restartPrimary('SIGKILL');
    }
  }
}

/** Whether a kill from outside has left a lock held. */
async function isByNature(world: World, error: unknown): Promise<boolean> {
  return error instanceof Harm && (await world.isLocked());
}

function pickStep(steps: Step[], random: Random): Step {
  let at = random.below(steps.reduce((sum, { weight }) => sum + weight, 0));
  for (const step of steps) {
    at -= step.weight;
    if (at < 0) return step;
  }
  throw new Error('no step applies');
}
