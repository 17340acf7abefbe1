/** A regular file: opened under an unfinished name, or in place, and given its own name when it is finished. */
import { constants, fstatSync, ftruncateSync, lstatSync, openSync, renameSync, rmSync } from 'node:fs';
import * as z from 'zod/mini';
import { DpcapError, errnoOf } from '../errors.js';
import { cannotWrite, changed } from './cannot-write.js';
import { type Output, type Sink, writeFailed } from './sink.js';
import { type UnfinishedFile, unfinishedFiles } from './unfinished.js';

const { O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW, O_NONBLOCK } = constants;

/** The file has the name `unfinished` until it is finished; without that name it is written in place. */
const schema = z.strictObject({ kind: z.literal('file'), path: z.string(), unfinished: z.optional(z.string()) });

export type FilePlan = z.infer<typeof schema>;

export const FILE: Sink<FilePlan> & { schema: typeof schema } = {
  schema,
  takesFrames: false,
  nameOf: ({ path }) => path,
  hasPath: true,
  open({ path, unfinished }) {
    try {
      return unfinished === undefined ? openInPlace(path) : openUnfinished(path, unfinished);
    } catch (cause) {
      throw cannotWrite(path, cause);
    }
  },
  failed: ({ path }, errno) => writeFailed(path, errno),
  abandoned({ path, unfinished = path }) {
    const left = path === unfinished ? [path] : unfinishedFiles(unfinished).flatMap(withPackets);
    return left.length > 0 ? `what was written until then is in ${left.join(', ')}` : 'nothing was written';
  },
};

/** The file that comes next is open beforehand, and empty. */
function withPackets({ path, bytes }: UnfinishedFile): string[] {
  return bytes > 0 ? [path] : [];
}

/** The mode is 0640: only the owner and the group may read the packets, as with dumpcap -g. */
export function openUnfinished(path: string, unfinished: string): Output & { sink: { kind: 'file' } } {
  const fd = openSync(unfinished, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o640);
  const { dev, ino } = fstatSync(fd);
  const isOurs = (): boolean => {
    const there = lstatSync(unfinished, { throwIfNoEntry: false });
    return there?.dev === dev && there.ino === ino;
  };
  return {
    sink: { kind: 'file', fd },
    publish: (as = path) => {
      try {
        if (!isOurs()) return { file: undefined, error: lost(as, unfinished) };
        renameSync(unfinished, as);
        return { file: as };
      } catch (cause) {
        return { file: unfinished, error: notRenamed(as, unfinished, cause) };
      }
    },
    remove: () => {
      if (isOurs()) rmSync(unfinished, { force: true });
    },
  };
}

function notRenamed(path: string, unfinished: string, cause: unknown): DpcapError {
  return new DpcapError('ERR_SINK_WRITE', `the file is complete, but cannot be given the name ${path}`, {
    cause,
    errno: errnoOf(cause),
    subject: path,
    hint: `the packets are in ${unfinished}`,
  });
}

function lost(path: string, unfinished: string): DpcapError {
  return new DpcapError('ERR_SINK_WRITE', `${path} was not written: somebody took ${unfinished} away meanwhile`, {
    errno: 'ENOENT',
    subject: path,
    hint: 'write into a directory that only you can change',
  });
}

/** Opens a file that cannot be replaced, or must not be: its other names have to show the packets as well. */
function openInPlace(path: string): Output {
  const fd = openSync(path, O_WRONLY | O_NOFOLLOW | O_NONBLOCK);
  if (!fstatSync(fd).isFile()) throw changed(fd, path);
  ftruncateSync(fd);
  return { sink: { kind: 'file', fd }, publish: () => ({ file: path }), remove: () => {} };
}
