/** Switches forward2kni off again: at the end of a hold, or by `dpcap recover` when the holder died. */
import * as z from 'zod/mini';
import { DpcapError } from '../errors.js';
import type { JournalEntry } from '../system/journal.js';
import type { ChangeKind } from '../watchdog/temporary-change.js';
import { DpvsClient } from './client.js';
import { socketIdentity } from './identify.js';
import { switchForward } from './switch.js';

/** DPVS's forward2kni of a port, switched on for a while. */
export const FORWARD: ChangeKind = { name: 'dpvs-forward2kni', undo: ({ entry }) => undoForward(entry) };

const undoSchema = z.strictObject({
  socket: z.string().check(z.minLength(1)),
  /** The life of the DPVS that was changed (socketIdentity). */
  life: z.string(),
  port: z.string().check(z.minLength(1)),
});

export type ForwardUndo = z.infer<typeof undoSchema>;

/** Carries out the undo record of a journal entry; for recover's table. */
export function undoForward(entry: JournalEntry): Promise<string> {
  const undo = undoSchema.parse(entry.undo);
  return restoreOff(undo, new DpvsClient(undo.socket));
}

/**
 * Brings the port back to "off" if the DPVS is still the same one and the switch is still on.
 * @returns what was found and done, as text for the user
 * @throws DpcapError ERR_DPVS_*: forward2kni may still be on
 */
export async function restoreOff({ socket, life, port }: ForwardUndo, client: DpvsClient): Promise<string> {
  const subject = `forward2kni of ${port}`;
  const restarted = `${subject} is off: that DPVS has ended since`; // DPVS keeps the switch in memory only
  if (socketIdentity(socket) !== life) return restarted;
  try {
    const state = await client.port(port);
    if (!state.forward2kni) return `${subject} was off already: somebody else switched it`;
    await switchForward(client, { state }, false);
    return `${subject} was switched off`;
  } catch (error) {
    if (!(error instanceof DpcapError)) throw error;
    if (error.code === 'ERR_DPVS_ABSENT') return restarted;
    if (error.code === 'ERR_PORT_UNKNOWN') return `${subject}: DPVS has no such port any more`;
    throw error;
  }
}
