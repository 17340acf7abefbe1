/** A regular file: opened under an unfinished name, or in place, and given its own name when it is finished. */
import { constants, existsSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import * as z from 'zod/mini';
import { DpcapError, errnoOf } from '../errors.js';
import { O_PATH } from '../system/safe-file.js';
import { cannotWrite, changed } from './cannot-write.js';
import {
  closeFile,
  fileOf,
  giveFile,
  openFile,
  removeFile,
  renameFile,
  renameToFree,
  statFile,
  truncateFile,
} from './disk.js';
import {
  type Belongings,
  type FileOwner,
  giveAsBefore,
  mayMakeFiles,
  modeAsBefore,
  ownerRefused,
  ownerSchema,
  type Replaced,
  replacedSchema,
} from './file-owner.js';
import { type Output, type Sink, writeFailed } from './sink.js';
import { type UnfinishedFile, unfinishedFiles, unfinishedPattern } from './unfinished.js';

const { O_WRONLY, O_CREAT, O_EXCL, O_NOFOLLOW, O_NONBLOCK, O_DIRECTORY } = constants;

/** The file has the name `unfinished` until it is finished; without that name it is written in place. */
const schema = z.strictObject({
  kind: z.literal('file'),
  path: z.string(),
  unfinished: z.optional(z.string()),
  /** Whom a file that is made anew is given to. */
  owner: z.optional(ownerSchema),
  /** The file that is replaced, whose owner and mode are kept as far as `owner` does not say otherwise. */
  replaced: z.optional(replacedSchema),
});

export type FilePlan = z.infer<typeof schema>;

export const FILE: Sink<FilePlan> & { schema: typeof schema } = {
  schema,
  takesFrames: false,
  nameOf: ({ path }) => path,
  hasPath: true,
  async open({ path, unfinished, ...belongings }) {
    try {
      return await (unfinished === undefined ? openInPlace(path) : openNew(path, unfinished, belongings));
    } catch (cause) {
      throw cannotWrite(path, cause);
    }
  },
  failed: ({ path }, errno) => writeFailed(path, errno),
  abandoned({ path, unfinished = path }, finished = 0) {
    const named = existsSync(unfinished) ? [unfinished] : [];
    const left = new Set([...named, ...unfinishedFiles(unfinished).flatMap(withPackets)]);
    const places = [...finishedFiles(finished), ...left].join(', ');
    return places === '' ? 'nothing was written' : `what was written until then is in ${places}`;
  },
  unasked({ path, unfinished = path }, finished) {
    const left = finished === undefined ? unfinished : unfinishedPattern(unfinished);
    return `what was written until then is in ${[...finishedFiles(finished), left].join(', ')}`;
  },
};

function finishedFiles(count = 0): string[] {
  return count > 0 ? [`${count} finished file${count === 1 ? '' : 's'}`] : [];
}

/** The file that comes next is open beforehand, and empty. */
function withPackets({ path, bytes }: UnfinishedFile): string[] {
  return bytes > 0 ? [path] : [];
}

/**
 * Opens a file that is made anew, and gives it to whom it belongs.
 * @throws DpcapError where a user of -Z may not make files; the errors of the file system
 */
export async function openNew(path: string, unfinished: string, belongings: Belongings = {}): Promise<NamedOutput> {
  const { owner, replaced } = belongings;
  const output = await (owner ? openForOwner(path, unfinished, owner, replaced) : openUnfinished(path, unfinished));
  if (replaced && !owner) await giveAsBefore(output.sink.fd, replaced);
  if (replaced) await modeAsBefore(output.sink.fd, replaced);
  return output;
}

/**
 * Opens the file that is renamed when it is finished. The mode is 0640, less what the umask forbids: only the owner and the
 * group may read the packets, as with dumpcap -g.
 * @param at the name by which a file is reached
 */
export async function openUnfinished(
  path: string,
  unfinished: string,
  at = (file: string): string => file,
): Promise<NamedOutput> {
  const fd = await openFile(at(unfinished), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW, 0o640);
  const { dev, ino } = await statFile(fd);
  const isOurs = async (): Promise<boolean> => {
    const there = await fileOf(at(unfinished));
    return there?.dev === dev && there.ino === ino;
  };
  return {
    sink: { kind: 'file', fd },
    publish: async (as = path, taken = 'replaced') => {
      try {
        if (!(await isOurs())) return { file: undefined, error: lost(as, unfinished) };
        await (taken === 'kept' ? renameToFree : renameFile)(at(unfinished), at(as));
        return { file: as };
      } catch (cause) {
        return { file: unfinished, error: notRenamed(as, unfinished, cause) };
      }
    },
    remove: async () => {
      if (await isOurs()) await removeFile(at(unfinished));
    },
  };
}

/** An output that is one descriptor. */
type NamedOutput = Output & { sink: { kind: 'file'; fd: number } };

/**
 * The same in a directory that is held, so that nobody can lead what is made, given away and renamed into another one
 * meanwhile.
 */
async function openForOwner(
  path: string,
  unfinished: string,
  owner: FileOwner,
  replaced: Replaced | undefined,
): Promise<NamedOutput> {
  const directory = await openFile(dirname(path), O_PATH | O_DIRECTORY);
  try {
    const isHis = mayMakeFiles(await statFile(directory), owner);
    if (!isHis && owner.user !== undefined) throw ownerRefused(path, owner);
    const held = (file: string): string => {
      return dirname(file) === dirname(path) ? `/proc/self/fd/${directory}/${basename(file)}` : file;
    };
    const output = await openUnfinished(path, unfinished, held);
    if (isHis) await give(output, owner);
    else if (replaced) await giveAsBefore(output.sink.fd, replaced);
    return releasing(directory, output);
  } catch (cause) {
    await closeFile(directory);
    throw cause;
  }
}

/** The output, whose directory is let go when the file has its name, or is gone. */
function releasing(directory: number, { sink, publish, remove }: NamedOutput): NamedOutput {
  return {
    sink,
    publish: async (as, taken) => {
      const published = await publish(as, taken);
      if (published.error?.errno !== 'EEXIST') await closeFile(directory); // else it is given another name
      return published;
    },
    remove: () => remove().finally(() => closeFile(directory)),
  };
}

/** Gives the file away; the caller of sudo, who did not ask for it, is told at the end when that was not possible. */
async function give(output: NamedOutput, { uid, gid, user }: FileOwner): Promise<void> {
  try {
    await giveFile(output.sink.fd, uid, gid);
  } catch (cause) {
    if (user === undefined) return;
    await output.remove();
    throw cause;
  }
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
async function openInPlace(path: string): Promise<Output> {
  const fd = await openFile(path, O_WRONLY | O_NOFOLLOW | O_NONBLOCK);
  if (!(await statFile(fd)).isFile()) throw changed(fd, path);
  return {
    sink: { kind: 'file', fd },
    empty: () => truncateFile(fd),
    publish: async () => ({ file: path }),
    remove: async () => {},
  };
}
