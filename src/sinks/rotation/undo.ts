/** Names what a killed capture with several files left unfinished, for `dpcap recover`. */
import * as z from 'zod/mini';
import type { ChangeKind } from '../../watchdog/temporary-change.js';
import { unfinishedFiles } from '../unfinished.js';

const undoSchema = z.strictObject({ unfinished: z.string() });

export type UnfinishedUndo = z.infer<typeof undoSchema>;

/**
 * Files under their unfinished names. They stay: what is in them may be all that is left of what was captured, and every
 * record but the last is whole.
 */
export const UNFINISHED: ChangeKind = {
  name: 'unfinished-files',
  async undo({ entry }) {
    const files = unfinishedFiles(undoSchema.parse(entry.undo).unfinished);
    if (files.length === 0) return `a killed capture to ${entry.subject} left no unfinished file`;
    const named = files.map(({ path, bytes }) => `${path} (${bytes} bytes)`);
    return `a killed capture to ${entry.subject} left unfinished: ${named.join(', ')}; tcpdump and tshark read it up to its last whole packet`;
  },
};
