/**
 * Joins the primary of the first argument, captures transmitted packets, asks whether the primary answers, and disables the
 * capture while the answer to that question is still to come. Reports whether it answered and what is not known to be off.
 */
import { Session } from '../../src/engine/session/attachment.js';
import { CriticalSections } from '../../src/protocol/critical-sections.js';
import { nullPlan } from '../engine/helpers/capture-contract.js';
import { installedDpdk } from '../helpers/native.js';

/** Shorter than the primary is late. */
const PATIENCE_MS = 100;

process.on('message', () => {}); // an open channel keeps this process alive, which the addon does not
const [filePrefix = '', pid] = process.argv.slice(2);
const runtimeDir = `/var/run/dpdk/${filePrefix}`;
const target = { filePrefix, runtimeDir, primaryPid: Number(pid), dpdk: installedDpdk() };
const session = new Session(target, new CriticalSections(() => {}));
await session.attach();
const plan = nullPlan();
await session.addon.startCapture(
  0,
  { ...plan, lanes: plan.lanes.filter(({ direction }) => direction === 'tx') },
  () => {},
);
const answered = await session.addon.primaryAnswers(PATIENCE_MS);
const unknown = await session.addon.disableCapture(0, 'alive');
await session.addon.finishCapture(0, unknown.length === 0 ? 'outside' : 'unknown');
const freed = unknown.length === 0 && (await session.addon.freeCapture(0));
await session.detach();
process.send?.({ answered, unknown, freed });
process.disconnect?.();
