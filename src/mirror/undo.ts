/** Undoes a temporary mirror by the facts in the journal: at its end, from the watchdog, or from `dpcap recover`. */
import * as z from 'zod/mini';
import { DpcapError } from '../errors.js';
import type { OpenEntry } from '../system/journal.js';
import type { ChangeKind } from '../watchdog/temporary-change.js';
import { DIRECTIONS, type Mirror } from './controller.js';
import { describeVf } from './resolve.js';
import { configRecordSchema, restoreConfig } from './vfd/config/restore-config.js';
import { VfdClient } from './vfd/protocol/client.js';
import { NicRefusal, putBack } from './vfd/rollback.js';

/** A mirror that VFd was asked for. */
export const MIRROR: ChangeKind = { name: 'vfd-mirror', undo: undoMirror };

const number = z.int().check(z.nonnegative());
const mirrorSchema = z.strictObject({ pf: number, vf: number, direction: z.enum(DIRECTIONS), target: number });

const commandRecordSchema = z.strictObject({
  how: z.literal('command'),
  fifo: z.string(),
  ours: mirrorSchema,
  previous: z.optional(mirrorSchema),
  /** The NIC has refused to end the mirror. That VFd no longer lists it proves nothing then. */
  refused: z.optional(z.boolean()),
});

const recordSchema = z.discriminatedUnion('how', [commandRecordSchema, configRecordSchema]);

export type CommandRecord = z.infer<typeof commandRecordSchema>;
export type UndoRecord = z.infer<typeof recordSchema>;

/**
 * Undoes a mirror. It is safe to repeat, and leaves alone what somebody else has changed since.
 * @param open entry of the journal; the caller closes it
 * @returns what was done, for people
 * @throws DpcapError when the mirror is not undone, or nobody can tell whether it is
 */
export async function undoMirror(open: Pick<OpenEntry, 'entry' | 'amend'>): Promise<string> {
  const record = parse(open.entry.undo);
  const client = new VfdClient(record.fifo);
  try {
    return record.how === 'command' ? await undoCommand(client, record) : await undoConfig(client, record);
  } catch (error) {
    if (error instanceof NicRefusal && record.how === 'command') open.amend({ ...record, refused: true });
    throw error;
  } finally {
    client.close();
  }
}

function parse(raw: unknown): UndoRecord {
  const result = recordSchema.safeParse(raw);
  if (result.success) return result.data;
  throw new DpcapError('ERR_SYSTEM', 'the journal entry of a mirror cannot be read', {
    cause: result.error,
    hint: 'look at the mirrors with: dpcap mirror list',
  });
}

async function undoCommand(client: VfdClient, { ours, previous, refused }: CommandRecord): Promise<string> {
  const text = describeMirror(ours);
  switch (await putBack(client, ours, previous, refused)) {
    case 'restored':
      return previous ? `put back ${describeMirror(previous)}` : `cleared ${text}`;
    case 'was off':
      return `${text} was off already`;
    default:
      return `left ${describeVf(ours)} alone: its mirror has been changed by somebody else`;
  }
}

async function undoConfig(client: VfdClient, record: Extract<UndoRecord, { how: 'config' }>): Promise<string> {
  const name = describeVf(record);
  switch (await restoreConfig(client, record)) {
    case 'restored':
      return `restored the configuration of ${name} from ${record.backup}`;
    case 'was so':
      return `the configuration of ${name} is as it was`;
    default:
      return `left ${name} alone: its configuration has been changed by somebody else; the backup is ${record.backup}`;
  }
}

/** `the mirror of VF 1 of PF 0 (all) to VF 3`. */
export function describeMirror(mirror: Mirror): string {
  return `the mirror of ${describeVf(mirror)} (${mirror.direction}) to VF ${mirror.target}`;
}
