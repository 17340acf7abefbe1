/** What EAL needs in this process to join a primary: the same files under the same names, a descriptor for each. */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { mappedFiles, parseMaps } from '../../system/maps.js';

/** Files that a secondary opens. A count that cannot be known from here is undefined. */
export interface AttachNeeds {
  /** Number of the primary's hugepage files; each has a descriptor of its own in a secondary. */
  hugepageFiles: number | undefined;
  /**
   * A directory of hugepage files that is another directory here, or absent: it is mounted in the primary's mount
   * namespace only.
   */
  missingDir: string | undefined;
  /** Number of descriptors that joining takes, with those that dpcap's engine has open before. */
  descriptors: number | undefined;
  /** The hard limit RLIMIT_NOFILE: node raises the soft limit to it at its start. */
  descriptorLimit: number;
}

/** Open descriptors of an engine before it joins (30), plus room for output, threads and its pool's first pages. */
const ENGINE_DESCRIPTORS = 96;

/** Looks at a primary's mappings, and opens none of its files. */
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

/** Files `<prefix>map_<n>` (eal_filesystem.h): one for each page or, with --single-file-segments, one for many. */
function hugepageFiles(filePrefix: string, pid: number, procDir: string): string[] | undefined {
  const text = read(join(procDir, String(pid), 'maps'));
  if (text === undefined) return undefined;
  return mappedFiles(parseMaps(text))
    .map(({ path }) => path)
    .filter((path) => basename(path).startsWith(`${filePrefix}map_`));
}

/**
 * One file of each directory is compared: it must be the very same file here. A file that the primary has already
 * removed tells nothing.
 */
function missingDir(files: readonly string[], pid: number, procDir: string): string | undefined {
  const byDir = new Map(files.map((path) => [dirname(path), path]));
  for (const [dir, path] of byDir) {
    const theirs = identity(join(procDir, String(pid), 'root', path));
    if (theirs !== undefined && theirs !== identity(path)) return dir;
  }
  return undefined;
}

/** Counts the fbarray files; each of them has a descriptor that stays open. */
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
