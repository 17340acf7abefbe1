/** Joins the primary of the first argument, and says of each promise of the addon's contract whether it is kept. */
import { Session } from '../../src/engine/session/attachment.js';
import { CriticalSections } from '../../src/protocol/critical-sections.js';
import { CONTRACT } from '../engine/helpers/capture-contract.js';
import { installedDpdk } from '../helpers/native.js';

process.on('message', () => {}); // an open channel keeps this process alive, which the addon does not
const [filePrefix = '', pid] = process.argv.slice(2);
const target = {
  filePrefix,
  runtimeDir: `/var/run/dpdk/${filePrefix}`,
  primaryPid: Number(pid),
  dpdk: installedDpdk(),
};
const session = new Session(target, new CriticalSections(() => {}));
await session.attach();
for (const [promise, keeps] of Object.entries(CONTRACT)) {
  const problem = await keeps({ addon: session.addon, quiesce: () => session.quiesce() }).then(
    () => undefined,
    (error: Error) => error.stack,
  );
  process.send?.({ promise, problem });
}
await session.detach();
process.disconnect?.();
