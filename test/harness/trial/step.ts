/** One step of a trial. */
import type { Random } from '../../helpers/random.js';
import type { World } from './world.js';

export interface Step {
  name: string;
  /** How often it is taken, compared with the others. */
  weight: number;
  /** Whether it makes sense now. */
  applies(world: World): boolean;
  /** Takes it. Resolves with what came of it, for people. @throws Harm */
  run(world: World, random: Random): Promise<string>;
}

/** One that always makes sense. */
export const always = (): boolean => true;

/** Takes one of a set. */
export function pickOf<T>(set: ReadonlySet<T>, random: Random): T {
  return random.pick([...set]);
}
