/** Reads the memory of a process and the files it has mapped, as it has them (also deleted or upgraded ones). */
import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { join } from 'node:path';
import { DpcapError } from '../errors.js';
import type { ByteSource } from './elf.js';
import type { MappedFile } from './maps.js';

/** A {@link ByteSource} that holds a file open. */
export interface OpenFile extends ByteSource {
  close(): void;
}

/**
 * Opens a mapped file through /proc/PID/map_files (exact, whatever became of the path; root only), else through the
 * process's root directory when the inode is still the mapped one.
 * @param dir the process's /proc directory
 * @throws Error with an errno name as `code`; DpcapError when the file was replaced on disk
 */
export function openMapped(file: MappedFile, dir: string): OpenFile {
  const mapping = file.mappings[0];
  const range = mapping && `${mapping.start.toString(16)}-${mapping.end.toString(16)}`;
  try {
    return openFile(join(dir, 'map_files', String(range)));
  } catch {
    return openByPath(file, dir);
  }
}

function openByPath(file: MappedFile, dir: string): OpenFile {
  const opened = openFile(join(dir, 'root', file.path));
  if (fstatSync(opened.fd).ino === file.inode) return opened;
  opened.close();
  throw new DpcapError('ERR_SYSTEM', `${file.path} was replaced on disk while the process runs`, {
    subject: file.path,
  });
}

function openFile(path: string): OpenFile & { fd: number } {
  const fd = openSync(path, 'r');
  return {
    fd,
    size: fstatSync(fd).size,
    read(offset, length) {
      const bytes = Buffer.alloc(length);
      return bytes.subarray(0, readSync(fd, bytes, 0, length, offset));
    },
    close: () => closeSync(fd),
  };
}

/**
 * Reads bytes of a process's memory; fewer when the range is not mapped to its end.
 * @param dir the process's /proc directory
 * @throws Error EACCES without the right to trace the process, EIO when nothing is mapped at `address`
 */
export function readMemory(dir: string, address: bigint, length: number): Buffer {
  const fd = openSync(join(dir, 'mem'), 'r');
  try {
    const bytes = Buffer.alloc(length);
    return bytes.subarray(0, readSync(fd, bytes, 0, length, address));
  } finally {
    closeSync(fd);
  }
}
