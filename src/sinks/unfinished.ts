/** The names of files that are still being written. A name without the suffix is that of a finished file. */
import { randomBytes } from 'node:crypto';
import { lstatSync, readdirSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';

/** Suffix of a file that is still being written. */
const PARTIAL = '.partial';
const RANDOM_PART = /-[0-9a-f]+\.partial$/;

/** A name with this process's pid and a part nobody can guess: in a directory for all, nobody can take it before. */
export function unfinishedName(path: string): string {
  return `${path}.${process.pid}${randomPart()}`;
}

/** A name that others can know beforehand, to follow the file while it grows. */
export function followedName(path: string): string {
  return `${path}${PARTIAL}`;
}

/** The name of another file of the same capture. */
export function unfinishedSibling(unfinished: string): string {
  return unfinished.replace(RANDOM_PART, randomPart());
}

/** The names of all unfinished files of a capture, as a shell finds them. */
export function unfinishedPattern(unfinished: string): string {
  return unfinished.replace(RANDOM_PART, `-*${PARTIAL}`);
}

function randomPart(): string {
  return `-${randomBytes(6).toString('hex')}${PARTIAL}`;
}

export interface UnfinishedFile {
  path: string;
  bytes: number;
}

/** The files that a capture left unfinished, by the name of one of them. */
export function unfinishedFiles(unfinished: string): UnfinishedFile[] {
  const folder = dirname(unfinished);
  const beginning = basename(unfinished).replace(RANDOM_PART, '-');
  try {
    return readdirSync(folder)
      .filter((name) => name.startsWith(beginning) && RANDOM_PART.test(name))
      .map((name) => join(folder, name))
      .map((path) => ({ path, bytes: lstatSync(path).size }));
  } catch {
    return []; // the directory, or one of the files, has gone meanwhile
  }
}
