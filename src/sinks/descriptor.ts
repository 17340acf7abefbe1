/** An open descriptor that the engine inherits, and its names: -, /dev/stdout, /dev/fd/3, /proc/self/fd/3. */
import { realpathSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import * as z from 'zod/mini';
import { NOTHING_LEFT, type Sink, writeFailed } from './sink.js';

/** The engine's number for an inherited output: behind the standard descriptors, which stay as they are, and IPC. */
export const INHERITED_FD = 4;

/** `name` is for people. */
const schema = z.strictObject({ kind: z.literal('fd'), fd: z.int(), name: z.string() });

export const DESCRIPTOR: Sink<z.infer<typeof schema>> & { schema: typeof schema } = {
  schema,
  takesFrames: false,
  nameOf: ({ name }) => name,
  hasPath: false,
  open: ({ fd }) => ({ sink: { kind: 'file', fd }, ...NOTHING_LEFT }),
  failed: ({ name }, errno) => writeFailed(name, errno),
  abandoned: () => 'its output ends early',
};

/** The directory where the kernel keeps a process's descriptors, as links. */
const DESCRIPTORS = /^\/proc\/(\d+)(?:\/task\/\d+)?\/fd$/;

/** The descriptor of this process that a link in /proc stands for, if it stands for one. */
export function descriptorOfLink(path: string): number | undefined {
  const name = basename(path);
  const owner = ownerOfLink(path);
  return owner !== undefined && owner === ownPid() && /^\d+$/.test(name) ? Number(name) : undefined;
}

/** Whether a link stands for a descriptor of some process. */
export function isProcessLink(path: string): boolean {
  return ownerOfLink(path) !== undefined;
}

function ownerOfLink(path: string): string | undefined {
  try {
    return DESCRIPTORS.exec(realpathSync(dirname(path)))?.[1];
  } catch {
    return undefined; // no such directory: whoever opens the file will say so
  }
}

/** The pid of this process in this /proc, which may be that of another PID namespace. */
function ownPid(): string | undefined {
  return DESCRIPTORS.exec(realpathSync('/proc/self/fd'))?.[1];
}
