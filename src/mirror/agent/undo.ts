/** Undoes a temporary mirror of an agent by the facts in the journal: from the watchdog, or from `dpcap recover`. */
import * as z from 'zod/mini';
import { DpcapError } from '../../errors.js';
import { hostAddon } from '../../native/addons.js';
import { checked } from '../../native/errors.js';
import type { OpenEntry } from '../../system/journal.js';
import { isRunning } from '../../system/process.js';
import type { ChangeKind } from '../../watchdog/temporary-change.js';
import { countersText, idText } from './describe.js';

/** A mirror that an agent was asked for. */
export const AGENT_MIRROR: ChangeKind = { name: 'agent-mirror', undo: undoAgentMirror };

const recordSchema = z.strictObject({
  socket: z.string(),
  id: z.int().check(z.positive(), z.maximum(2 ** 32 - 1)),
  /** The application, which may have been restarted since. */
  pid: z.int().check(z.positive()),
  startTicks: z.number(),
});

export type AgentMirrorRecord = z.infer<typeof recordSchema>;

/** Reads the journal's facts about a mirror. @throws DpcapError ERR_SYSTEM when they cannot be read */
export function agentMirrorRecord(undo: unknown): AgentMirrorRecord {
  const { data: record, error } = recordSchema.safeParse(undo);
  if (record !== undefined) return record;
  throw new DpcapError('ERR_SYSTEM', 'the journal entry of a mirror cannot be read', {
    cause: error,
    hint: 'look at the mirrors with: dpcap mirror list',
  });
}

/**
 * Ends the mirror. It is safe to repeat.
 * @returns what was done, for people
 * @throws DpcapError when it is not ended, or nobody can tell whether it is
 */
export async function undoAgentMirror({ entry }: Pick<OpenEntry, 'entry'>): Promise<string> {
  const record = agentMirrorRecord(entry.undo);
  const name = `mirror ${idText(record.id)}`;
  if (!isRunning(record.pid, record.startTicks)) return `${name} has ended with its application, process ${record.pid}`;
  const last = checked(() => hostAddon().mirrorClear(record.socket, record.id));
  return last ? `cleared ${name}: ${countersText(last)}` : `${name} was off already`;
}
