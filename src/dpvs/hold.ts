/** Keeps forward2kni on for a while. It is journalled before the SET, and switched off at the end, whatever ends it. */
import { asDpcapError, DpcapError, errnoOf } from '../errors.js';
import { type Journal, stateDir } from '../system/journal.js';
import type { startWatchdog } from '../watchdog/start.js';
import { TemporaryChange } from '../watchdog/temporary-change.js';
import type { DpvsClient } from './client.js';
import { socketIdentity } from './identify.js';
import { type PortView, type SwitchResult, switchForward } from './switch.js';
import { FORWARD, type ForwardUndo, restoreOff } from './undo.js';

/** How long the hold lasts, and who is told. */
export interface HoldOptions {
  /** Settles when the time or a signal ends the hold. */
  over: Promise<unknown>;
  journal: Journal;
  /** Starts the process that switches off when this one is killed; replaced by tests alone. */
  watch?: typeof startWatchdog;
  /** Called when forward2kni is on. */
  switched(result: SwitchResult): void;
}

/**
 * Switches forward2kni on, waits, and switches it off. A port that was on before is left on.
 * @returns how it ended, as text for the user
 * @throws DpcapError ERR_DPVS_*; when it may still be on, the journal keeps the entry for `dpcap recover`
 */
export async function holdForward(client: DpvsClient, view: PortView, options: HoldOptions): Promise<string> {
  const port = view.state.name;
  const undo: ForwardUndo = { socket: client.path, life: socketIdentity(client.path) ?? '', port };
  const kind = { name: FORWARD.name, undo: () => restoreOff(undo, client) };
  const change = new TemporaryChange(kind, options.journal, options.watch);
  try {
    options.switched(await switchForward(client, view, true, () => begin(change, undo)));
  } catch (error) {
    await endFailed(change, asDpcapError(error));
    throw error;
  }
  await options.over;
  const ending = await change.undo().catch((error: unknown) => {
    throw stillOn(port, asDpcapError(error));
  });
  return ending ?? `forward2kni of ${port} was on before and is left on`;
}

/**
 * Switches off again what a failed switch may have left on. The entry stays for `dpcap recover` when nobody can tell whether
 * forward2kni is on.
 */
async function endFailed(change: TemporaryChange, { code }: DpcapError): Promise<void> {
  if (code === 'ERR_DPVS_UNKNOWN') return;
  // The port was changed, but not only as asked: forward2kni may be on.
  if (code === 'ERR_DPVS_STATE') await change.undo().catch(() => undefined);
  else change.keep();
}

/** @throws DpcapError ERR_PERMISSION or ERR_SYSTEM: what cannot be journalled is not switched on */
function begin(change: TemporaryChange, undo: ForwardUndo): void {
  try {
    change.begin(`forward2kni of ${undo.port}`, undo);
  } catch (error) {
    const errno = errnoOf(error);
    const code = errno === 'EACCES' || errno === 'EPERM' ? 'ERR_PERMISSION' : 'ERR_SYSTEM';
    throw new DpcapError(code, `forward2kni of ${undo.port} was not switched on: no journal can be kept of it`, {
      ...{ subject: stateDir(), errno, cause: error },
      hint: `make ${stateDir()} writable, or name another state directory with XDG_STATE_HOME`,
    });
  }
}

function stillOn(port: string, error: DpcapError): DpcapError {
  return new DpcapError(error.code, `forward2kni of ${port} may still be on: ${error.message}`, {
    ...{ subject: port, errno: error.errno, cause: error },
    hint: 'when DPVS answers again: dpcap recover',
  });
}
