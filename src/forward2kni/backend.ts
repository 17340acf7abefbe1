/** Who carries out a forward2kni: DPVS itself, or a TAP interface fed by a capture. */
import { isDpvs, socketCandidates } from '../dpvs/identify.js';
import { choosePrimary } from '../primary/choose.js';
import { isAlive, type Primary } from '../primary/discover.js';
import type { ForwardRequest } from './request.js';

export type Backend = { kind: 'dpvs'; sockets: string[] } | { kind: 'tap'; primary: Primary };

/** What there is on this machine. */
export interface Surroundings {
  env: NodeJS.ProcessEnv;
  /** Looked at only when nothing names DPVS's socket. */
  primaries: () => Primary[];
  isSocket: (path: string) => boolean;
}

/**
 * A named socket means DPVS; a file prefix means that primary; else the only primary there is.
 * @throws DpcapError ERR_PRIMARY_*; UsageError
 */
export function chooseBackend(
  { ipcFile, filePrefix }: Pick<ForwardRequest, 'ipcFile' | 'filePrefix'>,
  { env, primaries, isSocket }: Surroundings,
): Backend {
  if (ipcFile !== undefined || (filePrefix === undefined && env.DPVS_IPC_FILE)) {
    return { kind: 'dpvs', sockets: socketCandidates({ ipcFile, env }) };
  }
  const all = primaries();
  // A DPVS in a container shows its socket, but not its files.
  const sockets = socketCandidates({ env: {} });
  if (filePrefix === undefined && !all.some(isAlive) && sockets.some(isSocket)) return { kind: 'dpvs', sockets };
  const primary = choosePrimary(all, filePrefix);
  return isDpvs(primary) ? { kind: 'dpvs', sockets: socketCandidates({ env, primary }) } : { kind: 'tap', primary };
}
