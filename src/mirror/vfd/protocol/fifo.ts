/**
 * One exchange over VFd's FIFOs: the request goes out in one atomic write, and the answer is read until its end mark or
 * a time limit.
 */
import { closeSync, constants, fstatSync, openSync, readSync, writeSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { DpcapError, errnoOf } from '../../../errors.js';
import { isComplete } from './response.js';

/** VFd looks for requests every 50 ms. */
const POLL_MS = 5;
/**
 * Far more than any answer has: VFd's tables end at 4 KiB for mirrors, and take some 200 bytes for each VF for
 * counters.
 */
const MAX_ANSWER = 16 * 1024 * 1024;

/** The bytes that arrived until the end mark, the writer's end, or the limit. */
export interface RawAnswer {
  bytes: Buffer;
  complete: boolean;
  /** The writer closed without the end mark, or sent too much. */
  abandoned: boolean;
  elapsedMs: number;
}

/**
 * Writes a request in one piece, or not at all.
 * @throws DpcapError ERR_MIRROR_ABSENT, ERR_MIRROR_NO_ANSWER (the FIFO is full) or ERR_PERMISSION; nothing is sent
 *   then
 */
export function writeRequest(path: string, bytes: Buffer): void {
  const fd = openRequestFifo(path);
  try {
    if (!fstatSync(fd).isFIFO()) throw notUsable(path, 'it is no FIFO', undefined);
    writeSync(fd, bytes);
  } catch (error) {
    if (error instanceof DpcapError) throw error;
    const errno = errnoOf(error);
    throw new DpcapError('ERR_MIRROR_NO_ANSWER', `VFd does not read its requests: ${path} is full`, {
      errno,
      subject: path,
      cause: error,
      hint: 'the daemon hangs; nothing was sent. Look at its log and its process',
    });
  } finally {
    closeSync(fd);
  }
}

/** Opens the FIFO. It never blocks, never follows a link and never makes a file. */
function openRequestFifo(path: string): number {
  try {
    return openSync(path, constants.O_WRONLY | constants.O_NONBLOCK | constants.O_NOFOLLOW);
  } catch (error) {
    throw openError(path, errnoOf(error), error);
  }
}

function openError(path: string, errno: string | undefined, cause: unknown): DpcapError {
  if (errno === 'ELOOP') return notUsable(path, 'it is a symbolic link', errno);
  if (errno === 'EACCES' || errno === 'EPERM') {
    return new DpcapError('ERR_PERMISSION', `cannot write to VFd's request FIFO ${path}`, {
      errno,
      subject: path,
      cause,
      hint: 'run dpcap as root',
    });
  }
  const why = errno === 'ENXIO' ? `nobody reads ${path}` : `there is no ${path}`;
  return new DpcapError('ERR_MIRROR_ABSENT', `VFd is not running: ${why}`, {
    errno,
    subject: path,
    cause,
    hint: 'start VFd, or name its request FIFO with --fifo (or its configuration with --config)',
  });
}

function notUsable(path: string, why: string, errno: string | undefined): DpcapError {
  return new DpcapError('ERR_MIRROR_ABSENT', `not VFd's request FIFO: ${path}: ${why}`, {
    errno,
    subject: path,
    hint: 'nothing was written; name the right FIFO with --fifo',
  });
}

/** Reads an answer from a FIFO that was opened non-blocking. */
export async function readAnswer(fd: number, limitMs: number): Promise<RawAnswer> {
  const start = performance.now();
  const chunks: Buffer[] = [];
  let length = 0;
  const result = (state: Pick<RawAnswer, 'complete' | 'abandoned'>): RawAnswer => ({
    bytes: Buffer.concat(chunks),
    ...state,
    elapsedMs: performance.now() - start,
  });
  for (;;) {
    const chunk = readChunk(fd);
    if (chunk === 'none' || chunk === 'closed') {
      // Before the first byte, "closed" only means that VFd has not opened the FIFO yet.
      if (chunk === 'closed' && length > 0) return result({ complete: false, abandoned: true });
      if (performance.now() - start >= limitMs) return result({ complete: false, abandoned: false });
      await sleep(POLL_MS);
      continue;
    }
    chunks.push(chunk);
    length += chunk.length;
    if (isComplete(Buffer.concat(chunks))) return result({ complete: true, abandoned: false });
    if (length > MAX_ANSWER) return result({ complete: false, abandoned: true });
  }
}

function readChunk(fd: number): Buffer | 'none' | 'closed' {
  const buffer = Buffer.alloc(65536);
  try {
    const count = readSync(fd, buffer);
    return count === 0 ? 'closed' : buffer.subarray(0, count);
  } catch (error) {
    if (errnoOf(error) === 'EAGAIN') return 'none';
    throw error;
  }
}
