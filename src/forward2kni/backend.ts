/**
 * Chooses what carries out a forward2kni request: DPVS itself, a TAP interface fed by a capture, or a virtio-user port of the
 * application's.
 */
import { isDpvs, socketCandidates } from '../dpvs/identify.js';
import { UsageError } from '../errors.js';
import { choosePrimary, describe } from '../primary/choose.js';
import { isAlive, type Primary } from '../primary/discover.js';
import type { ForwardRequest } from './request.js';

export type Backend =
  | { kind: 'dpvs'; sockets: string[] /** The DPVS process, when it is known. */; primary: Primary | undefined }
  | { kind: 'tap' | 'virtio-user'; primary: Primary };

/** What exists on this machine. */
export interface Surroundings {
  env: NodeJS.ProcessEnv;
  /** Called only for `tap` and `virtio-user`, or when nothing names DPVS's socket. */
  primaries: () => Primary[];
  isSocket: (path: string) => boolean;
}

/**
 * `tap` is for any primary, also for a DPVS with "kni off"; `virtio-user` for any but a DPVS, which has such devices of its own.
 * Otherwise a named socket means DPVS, and a file prefix means that primary; without both, it is the only primary there is.
 * @throws DpcapError ERR_PRIMARY_*; UsageError
 */
export function chooseBackend(
  { ipcFile, filePrefix, via }: Pick<ForwardRequest, 'ipcFile' | 'filePrefix' | 'via'>,
  { env, primaries, isSocket }: Surroundings,
): Backend {
  if (via === 'tap') return { kind: 'tap', primary: choosePrimary(primaries(), filePrefix) };
  if (via === 'virtio-user') return virtioUserBackend(choosePrimary(primaries(), filePrefix), env);
  if (ipcFile !== undefined || (filePrefix === undefined && env.DPVS_IPC_FILE)) {
    return { kind: 'dpvs', sockets: socketCandidates({ ipcFile, env }), primary: undefined };
  }
  const all = primaries();
  // A DPVS in a container shows its socket, but not its files.
  const sockets = socketCandidates({ env: {} });
  if (filePrefix === undefined && !all.some(isAlive) && sockets.some(isSocket))
    return { kind: 'dpvs', sockets, primary: undefined };
  const primary = choosePrimary(all, filePrefix);
  if (isDpvs(primary)) return { kind: 'dpvs', sockets: socketCandidates({ env, primary }), primary };
  if (via === undefined) return { kind: 'tap', primary };
  throw new UsageError(`--via dpvs: the primary ${describe(primary)} is no DPVS`, {
    subject: primary.filePrefix,
    hint: 'leave --via out: its packets go to an interface of dpcap',
  });
}

/** The NAME.kni interfaces of DPVS 1.10 are virtio-user devices, and its own forward2kni sends to them. */
function virtioUserBackend(primary: Primary, env: NodeJS.ProcessEnv): Backend {
  return isDpvs(primary)
    ? { kind: 'dpvs', sockets: socketCandidates({ env, primary }), primary }
    : { kind: 'virtio-user', primary };
}
