/** What engines of rounds do: they capture from both queues of net_null0, until they are killed or as often as they are told. */
import type { CaptureBinding, NativePlan } from '../../src/native/capture-binding.js';
import { nullPlan } from '../engine/helpers/capture-contract.js';

/** @param rounds a number; undefined: until this process is killed */
export async function captureInRounds(
  addon: CaptureBinding,
  change: Partial<NativePlan>,
  rounds: string | undefined,
): Promise<void> {
  const start = (): Promise<void> => addon.startCapture(0, nullPlan(change), () => {});
  if (rounds === undefined) {
    process.on('message', () => {}); // the open channel keeps this process alive
    await start();
    process.send?.('started');
    return;
  }
  for (let round = 0; round < Number(rounds); round++) {
    await start();
    await stop(addon);
  }
  process.disconnect?.();
}

async function stop(addon: CaptureBinding): Promise<void> {
  const unknown = await addon.disableCapture(0, 'alive');
  if (unknown.length > 0) throw new Error(unknown.join());
  await addon.finishCapture(0, 'outside');
  const books = addon.captureStats(0).lanes.map((lane) => lane.accepted - lane.written - lane.ringfull);
  if (books.some((rest) => rest !== 0n)) throw new Error(`the books are not even: ${books}`);
  await addon.freeCapture(0);
}
