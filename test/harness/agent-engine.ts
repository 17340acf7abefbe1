/**
 * Captures through the agent at the socket of the first argument, from both queues of net_null0, until it is killed; with a
 * number as the second argument, that many times one after the other, then it ends.
 */
import { hostAddon } from '../../src/native/addons.js';
import { nullPlan } from '../engine/helpers/capture-contract.js';

const MEMORY = 4 * 1024 * 1024;

const [socket = '', rounds] = process.argv.slice(2);
const addon = hostAddon();

async function start(): Promise<void> {
  await addon.startCapture(0, { ...nullPlan(), agent: { sockets: [socket], memory: MEMORY } }, () => {});
}

async function stop(): Promise<void> {
  const unknown = await addon.disableCapture(0, 'alive');
  if (unknown.length > 0) throw new Error(unknown.join());
  await addon.finishCapture(0, 'outside');
  const books = addon.captureStats(0).lanes.map((lane) => lane.accepted - lane.written - lane.ringfull);
  if (books.some((rest) => rest !== 0n)) throw new Error(`the books are not even: ${books}`);
  await addon.freeCapture(0);
}

if (rounds === undefined) {
  process.on('message', () => {}); // the open channel keeps this process alive
  await start();
  process.send?.('started');
} else {
  for (let round = 0; round < Number(rounds); round++) {
    await start();
    await stop();
  }
  process.disconnect?.();
}
