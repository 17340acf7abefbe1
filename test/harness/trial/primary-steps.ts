/** What happens to the primary in a trial: its ports and queues change, it pauses, it ends and starts again. */
import { setTimeout as delay } from 'node:timers/promises';
import { continueProcess, stopProcess } from '../stopped.js';
import { startRandomCapture } from './capture-options.js';
import { atRest, attachThird, detachThird, setQueues, THIRD_PORT } from './ports.js';
import { always, type Step } from './step.js';
import type { World } from './world.js';

/** Attaching and detaching asks all secondaries: with a stopped one it fails by DPDK's design. */
const canHotplug = (world: World): boolean => !world.hasStoppedSecondary;

export const PRIMARY_STEPS: Step[] = [
  {
    name: 'port stop and start',
    weight: 2,
    applies: always,
    async run(world, random) {
      const port = random.pick(['0', '1', 'all']);
      await atRest(world, [`port stop ${port}`, `port start ${port}`]);
      return `port ${port}`;
    },
  },
  {
    name: 'port attach',
    weight: 4,
    applies: (world) => !world.hasThirdPort && canHotplug(world),
    async run(world) {
      await attachThird(world);
      return THIRD_PORT;
    },
  },
  {
    name: 'port detach',
    weight: 4,
    applies: (world) => world.hasThirdPort && canHotplug(world),
    async run(world) {
      await detachThird(world);
      return THIRD_PORT;
    },
  },
  {
    name: 'queues',
    weight: 2,
    applies: always,
    async run(world) {
      await setQueues(world, 3 - world.queues);
      return String(world.queues);
    },
  },
  {
    name: 'primary pauses',
    weight: 2,
    applies: always,
    async run(world, random) {
      const ms = random.pick([200, 1000, 3000, 7000]);
      const meanwhile = random.pick(['nothing', 'a capture starts', 'captures end']);
      await stopProcess(world.testpmd.pid);
      const starting = meanwhile === 'a capture starts' ? startRandomCapture(world, random) : undefined;
      if (meanwhile === 'captures end') for (const { running } of world.captures) running.process.signal('SIGINT');
      await delay(ms);
      continueProcess(world.testpmd.pid);
      if (meanwhile === 'captures end') for (const capture of world.captures) await world.ended(capture);
      return `for ${ms} ms, meanwhile ${(await starting) ?? meanwhile}`;
    },
  },
  {
    name: 'primary restarts',
    weight: 2,
    applies: always,
    async run(world, random) {
      const how = random.pick(['quit', 'SIGKILL'] as const);
      await world.restartPrimary(how);
      return `after ${how}`;
    },
  },
];
