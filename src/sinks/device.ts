/** A FIFO or a device that exists. The engine waits until somebody reads a FIFO, as tcpdump does. */
import { constants, fstatSync, openSync, statSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import * as z from 'zod/mini';
import { errnoOf } from '../errors.js';
import { cannotWrite, changed } from './cannot-write.js';
import { isProcessLink } from './descriptor.js';
import { NOTHING_LEFT, type Output, type Sink, writeFailed } from './sink.js';

const { O_WRONLY, O_NOFOLLOW, O_NONBLOCK, O_NOCTTY } = constants;

/** Time between two attempts to open a FIFO that nobody reads yet. */
const FIFO_RETRY_MS = 50;

const schema = z.strictObject({ kind: z.literal('device'), path: z.string() });

export const DEVICE: Sink<z.infer<typeof schema>> & { schema: typeof schema } = {
  schema,
  takesFrames: false,
  nameOf: ({ path }) => path,
  hasPath: true,
  async open({ path }, isStopped) {
    try {
      return await openDevice(path, isStopped);
    } catch (cause) {
      throw cannotWrite(path, cause);
    }
  },
  failed: ({ path }, errno) => writeFailed(path, errno),
  abandoned: () => 'its output ends early',
};

async function openDevice(path: string, isStopped: () => boolean): Promise<Output | undefined> {
  // In /proc the last part of the path is a link, which only the kernel can make.
  const follow = isProcessLink(path) ? 0 : O_NOFOLLOW;
  const fd = await openPipe(path, O_WRONLY | O_NONBLOCK | O_NOCTTY | follow, isStopped);
  if (fd === undefined) return undefined;
  if (fstatSync(fd).isFile()) throw changed(fd, path);
  return { sink: { kind: 'file', fd }, ...NOTHING_LEFT };
}

/** Opens without blocking: open() would otherwise block this process, signals included, until a FIFO has a reader. */
async function openPipe(path: string, flags: number, isStopped: () => boolean): Promise<number | undefined> {
  while (!isStopped()) {
    try {
      return openSync(path, flags);
    } catch (error) {
      // A socket gives ENXIO as well, but a socket can only be opened by connecting to it.
      if (errnoOf(error) !== 'ENXIO' || !statSync(path).isFIFO()) throw error;
    }
    await sleep(FIFO_RETRY_MS);
  }
  return undefined;
}
