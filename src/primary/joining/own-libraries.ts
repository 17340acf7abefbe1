/**
 * The DPDK libraries that a primary itself has mapped. They fit it by construction, but they are its: this process executes
 * what is in them, so a primary with fewer rights must not be able to choose them.
 */
import { readFileSync, readlinkSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { DpcapError } from '../../errors.js';
import { type MappedFile, mappedFiles, parseMaps } from '../../system/maps.js';
import { attempt } from '../../system/process.js';

/** A library, and a file to open it by, which may be named otherwise. */
export interface LibraryFile {
  name: string;
  file: string;
}

/**
 * Returns those that `select` selects by name, under names that lead to those very files: through the primary's own root
 * directory, or where they have been replaced, through its mappings. Undefined when its mappings cannot be read; an error
 * when this process must not use what is there.
 */
export function ownLibraries(
  pid: number,
  select: (name: string) => boolean,
  procDir: string,
): LibraryFile[] | DpcapError | undefined {
  const dir = join(procDir, String(pid));
  const maps = attempt(() => readFileSync(join(dir, 'maps'), 'latin1'));
  if (maps === undefined) return undefined; // it has ended, or belongs to another user
  const mapped = mappedFiles(parseMaps(maps)).filter(({ path }) => select(basename(path)));
  const [first] = mapped;
  if (!first) return [];
  if (!hasOurRights(pid, procDir)) return lessPrivileged(pid, join(dir, 'root', dirname(first.path)));
  const files = mapped.flatMap((one) => {
    const file = openable(one, dir);
    return file === undefined ? [] : [{ name: basename(one.path), file }];
  });
  return files.length === mapped.length ? files : undefined;
}

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

function lessPrivileged(pid: number, folder: string): DpcapError {
  const message = `the libraries of process ${pid} are not loaded by themselves, because it has fewer rights than dpcap`;
  return new DpcapError('ERR_PERMISSION', message, {
    subject: folder,
    hint: `install the same release here or, if you trust what is in that container, give --dpdk-libs ${folder}`,
  });
}

function inodeOf(path: string): number | undefined {
  return attempt(() => statSync(path).ino);
}
