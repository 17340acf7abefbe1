/** What EAL will need of this process to join a primary: the same files under the same names, and a descriptor for each. */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { mappedFiles, parseMaps } from '../system/maps.js';

/** Files that a secondary opens; undefined counts are not known from here. */
export interface AttachNeeds {
  /** The primary's files of huge pages; each has a descriptor of its own in a secondary. */
  hugepageFiles: number | undefined;
  /** A directory of them that is another one here, or none: it is mounted in the primary's mount namespace alone. */
  missingDir: string | undefined;
  /** Descriptors that joining takes, with those that our engine has before. */
  descriptors: number | undefined;
  /** RLIMIT_NOFILE, the hard one: node raises the soft one to it at its start. */
  descriptorLimit: number;
}

/** What an engine has open before it joins (30), with room for its output, its threads and its pool's first pages. */
const ENGINE_DESCRIPTORS = 96;

/** Looks at a primary's mappings; nothing of it is opened. */
export function attachNeeds(
  primary: { filePrefix: string; runtimeDir: string; pid: number | undefined },
  procDir: string,
): AttachNeeds {
  const files = primary.pid === undefined ? undefined : hugepageFiles(primary.filePrefix, primary.pid, procDir);
  const arrays = countArrays(primary.runtimeDir);
  return {
    hugepageFiles: files?.length,
    missingDir: primary.pid === undefined ? undefined : missingDir(files ?? [], primary.pid, procDir),
    descriptors: files && files.length + arrays + ENGINE_DESCRIPTORS,
    descriptorLimit: descriptorLimit(procDir),
  };
}

/** `<prefix>map_<n>` (eal_filesystem.h), one a page or, with --single-file-segments, one for many. */
function hugepageFiles(filePrefix: string, pid: number, procDir: string): string[] | undefined {
  const text = read(join(procDir, String(pid), 'maps'));
  if (text === undefined) return undefined;
  return mappedFiles(parseMaps(text))
    .map(({ path }) => path)
    .filter((path) => basename(path).startsWith(`${filePrefix}map_`));
}

/** One file of each directory tells: here it must be the very same. What the primary has already removed tells nothing. */
function missingDir(files: readonly string[], pid: number, procDir: string): string | undefined {
  const byDir = new Map(files.map((path) => [dirname(path), path]));
  for (const [dir, path] of byDir) {
    const theirs = identity(join(procDir, String(pid), 'root', path));
    if (theirs !== undefined && theirs !== identity(path)) return dir;
  }
  return undefined;
}

/** Each has a descriptor that stays open. */
function countArrays(runtimeDir: string): number {
  try {
    return readdirSync(runtimeDir).filter((name) => name.startsWith('fbarray_')).length;
  } catch {
    return 0;
  }
}

function descriptorLimit(procDir: string): number {
  const hard = /^Max open files +\S+ +(\S+)/m.exec(read(join(procDir, 'self', 'limits')) ?? '')?.[1];
  return hard === undefined || hard === 'unlimited' ? Number.POSITIVE_INFINITY : Number(hard);
}

function identity(path: string): string | undefined {
  try {
    const { dev, ino } = statSync(path);
    return `${dev}:${ino}`;
  } catch {
    return undefined;
  }
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return undefined;
  }
}
