/** The room that a disk still has. */
import { statfsSync } from 'node:fs';

/** Bytes that this user may still write to the disk of a directory. @throws the file system's error */
export function freeBytes(directory: string): number {
  const { bavail, bsize } = statfsSync(directory);
  return bavail * bsize;
}
