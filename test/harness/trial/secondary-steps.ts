/** Other secondaries in a trial: they come, stand still, go on, and go. */
import { joinAsSecondary, type Secondary } from '../secondary.js';
import { isStopped } from '../stopped.js';
import { pickOf, type Step } from './step.js';
import type { World } from './world.js';

const MOST = 2;

const stopped = (world: World): Secondary[] => [...world.secondaries].filter(({ pid }) => isStopped(pid));
const running = (world: World): Secondary[] => [...world.secondaries].filter(({ pid }) => !isStopped(pid));

export const SECONDARY_STEPS: Step[] = [
  {
    name: 'secondary joins',
    weight: 3,
    applies: (world) => world.secondaries.size < MOST && !world.hasStoppedSecondary,
    async run(world, random) {
      const words = random.chance(2) ? ['pdump'] : [];
      const secondary = await joinAsSecondary(world, words);
      world.secondaries.add(secondary);
      return `pid ${secondary.pid}`;
    },
  },
  {
    name: 'secondary is stopped',
    weight: 2,
    applies: (world) => running(world).length > 0 && !world.hasStoppedSecondary,
    async run(world, random) {
      const secondary = random.pick(running(world));
      await secondary.stop();
      return `pid ${secondary.pid}`;
    },
  },
  {
    name: 'secondary goes on',
    weight: 8,
    applies: (world) => world.hasStoppedSecondary,
    async run(world) {
      for (const secondary of stopped(world)) secondary.continue();
      return 'all';
    },
  },
  {
    name: 'secondary ends',
    weight: 1,
    applies: (world) => world.secondaries.size > 0,
    async run(world, random) {
      const secondary = pickOf(world.secondaries, random);
      await world.endSecondary(secondary);
      return `pid ${secondary.pid}`;
    },
  },
  {
    name: 'secondary is killed',
    weight: 1,
    applies: (world) => world.secondaries.size > 0,
    async run(world, random) {
      const secondary = pickOf(world.secondaries, random);
      world.secondaries.delete(secondary);
      secondary.process.signal('SIGKILL');
      await secondary.process.exited;
      return `pid ${secondary.pid}`;
    },
  },
];
