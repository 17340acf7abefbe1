/**
 * The DPDK libraries that a primary itself has mapped. They fit it by construction, but they are its: this process executes
 * what is in them, so a primary with fewer rights must not be able to choose them.
 */
import { readFileSync, readlinkSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import type { ErrorCode } from '../../errors.js';
import { type MappedFile, mappedFiles, parseMaps } from '../../system/maps.js';
import { attempt } from '../../system/process.js';

/** A library, and a file to open it by, which may be named otherwise. */
export interface LibraryFile {
  name: string;
  file: string;
}

/** Why a primary's own libraries cannot be used: a clause about them for a message, and what to do beside installing some. */
export interface Unusable {
  why: string;
  wayOut?: string;
  code: ErrorCode;
  subject?: string;
}

/**
 * Returns those that `select` selects by name, under names that lead to those very files: through the primary's own root
 * directory, or where they have been deleted or replaced, through its mappings. There is none when it is linked statically.
 */
export function ownLibraries(
  pid: number,
  select: (name: string) => boolean,
  procDir: string,
): LibraryFile[] | Unusable {
  const dir = join(procDir, String(pid));
  const maps = attempt(() => readFileSync(join(dir, 'maps'), 'latin1'));
  if (maps === undefined) return UNREADABLE;
  const mapped = mappedFiles(parseMaps(maps)).filter(({ path }) => select(basename(path)));
  // Plugins of EAL, such as handlers of mempools, may be in a folder of their own below that of the others.
  const eal = mapped.find(({ path }) => basename(path).startsWith('librte_eal.')) ?? mapped[0];
  if (!eal) return [];
  if (!hasOurRights(pid, procDir)) return lessPrivileged(pid, dir, eal);
  const files = mapped.flatMap((one) => {
    const file = openable(one, dir);
    return file === undefined ? [] : [{ name: basename(one.path), file }];
  });
  return files.length === mapped.length ? files : DELETED;
}

/** It has ended, or belongs to another user, or is in a PID namespace that cannot be seen. */
export const UNREADABLE: Unusable = { why: 'its own cannot be read from here', code: 'ERR_VERSION_MISMATCH' };

/** What was deleted can be opened by its mapping, which the kernel leaves to those who may look at any process. */
const DELETED: Unusable = {
  why: 'its own, which were deleted or replaced since it started, cannot be opened by this process (map_files)',
  wayOut: 'run dpcap with CAP_SYS_ADMIN or CAP_CHECKPOINT_RESTORE, restart the application',
  code: 'ERR_VERSION_MISMATCH',
};

function openable({ path, inode, mappings }: MappedFile, dir: string): string | undefined {
  const within = join(dir, 'root', path);
  if (inodeOf(within) === inode) return within;
  const [first] = mappings;
  if (!first) return undefined;
  const link = join(dir, 'map_files', `${first.start.toString(16)}-${first.end.toString(16)}`);
  return inodeOf(link) === inode ? link : undefined;
}

/** Whether a process can do all that this one can: then it gains nothing by having this one execute something. */
function hasOurRights(pid: number, procDir: string): boolean {
  const [theirs, ours] = [rightsOf(String(pid), procDir), rightsOf('self', procDir)];
  if (!theirs || !ours) return false;
  const isUser = theirs.uid === 0 || theirs.uid === ours.uid;
  return isUser && theirs.namespace === ours.namespace && (ours.capabilities & ~theirs.capabilities) === 0n;
}

function rightsOf(process: string, procDir: string) {
  const dir = join(procDir, process);
  const status = attempt(() => readFileSync(join(dir, 'status'), 'latin1')) ?? '';
  const namespace = attempt(() => readlinkSync(join(dir, 'ns/user')));
  const uid = /^Uid:\t\d+\t(\d+)/m.exec(status)?.[1]; // the effective one
  const capabilities = /^CapEff:\t([0-9a-f]+)$/m.exec(status)?.[1];
  if (namespace === undefined || uid === undefined || capabilities === undefined) return undefined;
  return { uid: Number(uid), capabilities: BigInt(`0x${capabilities}`), namespace };
}

function lessPrivileged(pid: number, dir: string, { path, inode }: MappedFile): Unusable {
  const why = `its own are not loaded by themselves, because process ${pid} has fewer rights than dpcap`;
  const folder = join(dir, 'root', dirname(path));
  const isThere = inodeOf(join(folder, basename(path))) === inode;
  const wayOut = isThere
    ? `if you trust what is in that container, give --dpdk-libs ${folder}`
    : 'restart the application';
  return { why, wayOut, code: 'ERR_PERMISSION', subject: folder };
}

function inodeOf(path: string): number | undefined {
  return attempt(() => statSync(path).ino);
}
