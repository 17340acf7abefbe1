/** The ports and queues of a trial's primary. */
import type { World } from './world.js';

export const THIRD_PORT = 'net_null9';

/** Runs commands while nothing is forwarded. */
export async function atRest({ testpmd }: World, commands: string[]): Promise<void> {
  for (const command of ['stop', ...commands, 'start']) await testpmd.command(command);
}

/** The third port comes. */
export async function attachThird(world: World): Promise<void> {
  await world.testpmd.command(`port attach ${THIRD_PORT}`, /Port 2 is attached/);
  world.hasThirdPort = true;
  await atRest(world, ['port start 2']);
}

/** And goes. */
export async function detachThird(world: World): Promise<void> {
  await atRest(world, ['port stop 2', 'port detach 2']);
  world.hasThirdPort = false;
}

/** Gives all ports so many queues each way. */
export async function setQueues(world: World, queues: number): Promise<void> {
  const configure = [`port config all rxq ${queues}`, `port config all txq ${queues}`];
  await atRest(world, ['port stop all', ...configure, 'port start all']);
  world.queues = queues;
}
