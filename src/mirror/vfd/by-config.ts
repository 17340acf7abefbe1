/**
 * The configuration procedure of VFd's debugging guide: back up, edit, delete, put back, add, verify. After any
 * failure, the state before is restored. Between delete and add, the VF has no configuration and its guest has no
 * traffic.
 */
import { rmSync } from 'node:fs';
import { DpcapError } from '../../errors.js';
import { isSameMirror, type Mirror, type VfId } from '../controller.js';
import { describeVf } from '../resolve.js';
import { editMirror } from './config/config-editor.js';
import { ConfigFiles, digest } from './config/config-files.js';
import { type ConfigRecord, currentMirror, deleteVf, manages, restoreConfig } from './config/restore-config.js';
import { readVfConfigs } from './config/vf-config.js';
import { DaemonLog } from './daemon-log.js';
import type { VfdClient } from './protocol/client.js';
import { attempt } from './rollback.js';

const LOG_WAIT_MS = 1000;

export interface ConfigJob {
  id: VfId;
  /** PCI address of the PF. */
  pfPci: string | undefined;
  /** The mirror to set. Undefined: take the mirror out. */
  wanted: Mirror | undefined;
  configDir: string;
  logDir: string;
  backupDir: string;
  /** How long to wait for VFd's log line. */
  logWaitMs?: number;
  /** Tests that make a step fail replace this. */
  filesOf?: (configDir: string, file: string) => ConfigFiles;
}

export interface ConfigResult {
  backup: string;
  warnings: string[];
}

/**
 * Carries out the procedure.
 * @param before called when all is prepared and nothing is changed yet; when it throws, nothing is changed
 * @throws DpcapError after the state before has been restored, or with what to do when it could not be
 */
export async function mirrorByConfig(
  client: VfdClient,
  job: ConfigJob,
  before: (record: ConfigRecord) => void | Promise<void>,
): Promise<ConfigResult> {
  const file = findFile(job);
  const files = job.filesOf?.(job.configDir, file) ?? new ConfigFiles(job.configDir, file);
  const record = prepare(client, job, file, files);
  try {
    await before(record);
  } catch (error) {
    files.discard([record.editedDigest]);
    rmSync(record.backup, { force: true });
    throw error;
  }
  try {
    return { backup: record.backup, warnings: await exchange(client, job, files) };
  } catch (error) {
    throw await rollBack(client, record, error);
  }
}

function findFile(job: ConfigJob): string {
  const configs = readVfConfigs(job.configDir)?.filter(({ vf, pfPci }) => vf === job.id.vf && pfPci === job.pfPci);
  const [first, second] = configs ?? [];
  if (first && !second) return first.file;
  const what = second ? 'several configurations' : 'no configuration';
  throw new DpcapError(
    'ERR_MIRROR_UNSAFE',
    `there is ${what} of ${describeVf(job.id)} in force in ${job.configDir}_live`,
    {
      subject: job.configDir,
      hint: 'name the right vfd.cfg with --config; the directories must be visible here',
    },
  );
}

/** Does everything that can fail without VFd: the backup, the edit, and the new file next to its final place. */
function prepare(client: VfdClient, job: ConfigJob, file: string, files: ConfigFiles): ConfigRecord {
  const live = files.readLive();
  if (!live) throw new DpcapError('ERR_SYSTEM', `${files.live} vanished`, { hint: 'try again' });
  const edited = editMirror(live.text, job.wanted);
  files.refuseWaiting();
  const backup = files.backUp(live.text, job.backupDir);
  try {
    files.stage(edited, live.owner);
  } catch (error) {
    rmSync(backup, { force: true });
    throw error;
  }
  const { pf, vf } = job.id;
  const base = { how: 'config' as const, fifo: client.fifo, configDir: job.configDir, file, pf, vf };
  return { ...base, backup, owner: live.owner, editedDigest: digest(edited) };
}

/** Returns warnings. */
async function exchange(client: VfdClient, job: ConfigJob, files: ConfigFiles): Promise<string[]> {
  const log = new DaemonLog(job.logDir);
  await deleteVf(client, files.live, job.id);
  files.place();
  const failure = await attempt(client.add(files.waiting));
  if (!(await manages(client, job.id))) throw failure ?? notListed(job.id);
  const listed = await currentMirror(client, job.id);
  if (!isSameMirror(listed, job.wanted)) throw failure ?? notMirrored(job);
  return verdictOfLog(log, job);
}

async function verdictOfLog(log: DaemonLog, job: ConfigJob): Promise<string[]> {
  if (!job.wanted) return [];
  const verdict = await log.verdict(job.id, job.logWaitMs ?? LOG_WAIT_MS);
  if (verdict.state === 'unknown')
    return [`VFd's log in ${job.logDir} says nothing of it (log level 0, or not readable)`];
  if (verdict.state === 'ok') return [];
  throw new DpcapError('ERR_MIRROR_REFUSED', `the NIC refused the mirror of ${describeVf(job.id)}: ${verdict.line}`, {
    subject: describeVf(job.id),
    hint: 'VFd lists it, wrongly',
  });
}

function notListed(id: VfId): DpcapError {
  return new DpcapError('ERR_MIRROR_REFUSED', `VFd does not list ${describeVf(id)} after adding it`);
}

function notMirrored({ id, wanted }: ConfigJob): DpcapError {
  const state = wanted ? 'no such mirror' : 'a mirror still';
  return new DpcapError('ERR_MIRROR_REFUSED', `VFd added ${describeVf(id)}, but lists ${state}`);
}

/** Returns the error to throw. */
async function rollBack(client: VfdClient, record: ConfigRecord, error: unknown): Promise<DpcapError> {
  const { message, code } = error instanceof DpcapError ? error : new DpcapError('ERR_SYSTEM', String(error));
  const backup = `the backup is ${record.backup}`;
  try {
    const restored = await restoreConfig(client, record);
    const what =
      restored === 'left' ? 'somebody else changed it meanwhile: left alone' : 'the state before is restored';
    return new DpcapError(code, message, { cause: error, subject: record.file, hint: `${what}; ${backup}` });
  } catch (failure) {
    const { message: why, hint } = failure as DpcapError;
    return new DpcapError(code, `${message}; and then: ${why}`, { cause: failure, subject: record.file, hint });
  }
}
