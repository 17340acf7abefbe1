/** Undoes a temporary mirror in hardware by the facts in the journal: from the watchdog, or from `dpcap recover`. */
import { hostAddon } from '../../native/addons.js';
import { checked } from '../../native/errors.js';
import type { OpenEntry } from '../../system/journal.js';
import { isRunning } from '../../system/process.js';
import type { ChangeKind } from '../../watchdog/temporary-change.js';
import { idText } from '../agent/describe.js';
import { agentMirrorRecord } from '../agent/undo.js';
import { flowCountersText } from './describe.js';

/** A mirror in hardware that an agent was asked for. */
export const FLOW_MIRROR: ChangeKind = { name: 'flow-mirror', undo: undoFlowMirror };

/**
 * Takes the rules away. It is safe to repeat.
 * @returns what was done, for people
 * @throws DpcapError when it is not ended, or nobody can tell whether it is
 */
export async function undoFlowMirror({ entry }: Pick<OpenEntry, 'entry'>): Promise<string> {
  const record = agentMirrorRecord(entry.undo);
  const name = `mirror ${idText(record.id)} in hardware`;
  if (!isRunning(record.pid, record.startTicks)) return `${name} has ended with its application, process ${record.pid}`;
  const last = checked(() => hostAddon().flowClear(record.socket, record.id));
  return last ? `cleared ${name}: ${flowCountersText(last)}` : `${name} was off already`;
}
