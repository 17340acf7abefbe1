/** Brings a VF's configuration back to what it was before the configuration procedure, wherever that stopped. */
import * as z from 'zod/mini';
import { DpcapError } from '../../../errors.js';
import { readRegular } from '../../../system/safe-file.js';
import type { VfId } from '../../controller.js';
import { describeVf } from '../../resolve.js';
import type { VfdClient } from '../protocol/client.js';
import { attempt, mirrorOf } from '../rollback.js';
import { ConfigFiles, digest } from './config-files.js';

/** What is needed to go back. The journal keeps it while the procedure is under way. */
export const configRecordSchema = z.strictObject({
  how: z.literal('config'),
  fifo: z.string(),
  configDir: z.string(),
  file: z.string().check(z.regex(/^[^/]+$/)),
  pf: z.int().check(z.nonnegative()),
  vf: z.int().check(z.nonnegative()),
  backup: z.string(),
  owner: z.strictObject({ uid: z.number(), gid: z.number(), mode: z.number() }),
  /** Digest of the changed text. */
  editedDigest: z.string(),
});

export type ConfigRecord = z.infer<typeof configRecordSchema>;

/** was so: nothing had been changed. left: left alone, because somebody else has changed it since. */
export type Restored = 'restored' | 'was so' | 'left';

/**
 * Restores the configuration. It is safe to repeat.
 * @throws DpcapError when the VF is not as before afterwards; it names the backup
 */
export async function restoreConfig(client: VfdClient, record: ConfigRecord): Promise<Restored> {
  try {
    return await restore(client, record);
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new DpcapError('ERR_MIRROR_REFUSED', `cannot restore the configuration of ${describeVf(record)}: ${why}`, {
      cause: error,
      subject: record.file,
      hint: `its backup is ${record.backup}: copy it to ${record.configDir}/${record.file}, then run: iplex add ${record.file.replace(/\.json$/, '')}`,
    });
  }
}

async function restore(client: VfdClient, record: ConfigRecord): Promise<Restored> {
  const files = new ConfigFiles(record.configDir, record.file);
  const original = readRegular(record.backup).bytes.toString('latin1');
  const live = files.readLive();
  const isManaged = await manages(client, record);
  if (isManaged && live && live.text !== original && digest(live.text) !== record.editedDigest) return 'left';
  if (isManaged && live?.text === original) {
    files.discard([record.editedDigest]);
    return 'was so';
  }
  if (isManaged) await deleteVf(client, files.live, record);
  await addVf(client, files, original, record);
  return 'restored';
}

/** Whether VFd has the VF. The daemon's list decides, asked for anew, not the answer to a request. */
export async function manages(client: VfdClient, { pf, vf }: VfId): Promise<boolean> {
  const rows = await client.showAll();
  return rows.some((row) => row.kind === 'vf' && row.pf === pf && row.id === vf);
}

/**
 * Makes VFd delete a VF. The answer may be missing although VFd has deleted it.
 * @throws DpcapError when VFd still has it
 */
export async function deleteVf(client: VfdClient, path: string, id: VfId): Promise<void> {
  const failure = await attempt(client.delete(path));
  if (!(await manages(client, id))) return;
  throw failure ?? new DpcapError('ERR_MIRROR_REFUSED', `VFd still lists ${describeVf(id)} after deleting it`);
}

async function addVf(client: VfdClient, files: ConfigFiles, text: string, record: ConfigRecord): Promise<void> {
  files.discard([record.editedDigest, digest(text)]);
  files.refuseWaiting();
  files.stage(text, record.owner);
  files.place();
  const failure = await attempt(client.add(files.waiting));
  if (await manages(client, record)) return;
  throw failure ?? new DpcapError('ERR_MIRROR_REFUSED', `VFd does not list ${describeVf(record)} after adding it`);
}

/** The mirror that VFd lists for a VF now. */
export async function currentMirror(client: VfdClient, id: VfId): Promise<ReturnType<typeof mirrorOf>> {
  return mirrorOf(await client.showMirrors(), id);
}
