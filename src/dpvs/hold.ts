/** Keeps forward2kni on for a while. It is journalled before the SET, and switched off at the end, whatever ends it. */
import { asDpcapError, DpcapError, errnoOf } from '../errors.js';
import { type Journal, type OpenEntry, stateDir } from '../system/journal.js';
import type { DpvsClient } from './client.js';
import { socketIdentity } from './identify.js';
import { type PortView, type SwitchResult, switchForward } from './switch.js';
import { FORWARD_KIND, type ForwardUndo, restoreOff } from './undo.js';

/** How long the hold lasts, and who is told. */
export interface HoldOptions {
  /** Settles when the time or a signal ends the hold. */
  over: Promise<unknown>;
  journal: Journal;
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
  let entry: OpenEntry | undefined;
  try {
    const result = await switchForward(client, view, true, () => {
      entry = open(options.journal, undo);
    });
    options.switched(result);
  } catch (error) {
    // The entry stays for recover only when nobody can tell whether forward2kni is on.
    if (asDpcapError(error).code !== 'ERR_DPVS_UNKNOWN') entry?.close();
    throw error;
  }
  await options.over;
  if (!entry) return `forward2kni of ${port} was on before and is left on`;
  const ending = await restoreOff(undo, client).catch((error: unknown) => {
    throw stillOn(port, asDpcapError(error));
  });
  entry.close();
  return ending;
}

/** @throws DpcapError ERR_PERMISSION or ERR_SYSTEM: what cannot be journalled is not switched on */
function open(journal: Journal, undo: ForwardUndo): OpenEntry {
  try {
    return journal.open(FORWARD_KIND, `forward2kni of ${undo.port}`, undo);
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
