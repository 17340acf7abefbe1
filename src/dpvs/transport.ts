/**
 * One request on one connection to DPVS's control socket. DPVS serves it in its master lcore's loop with blocking calls
 * and no time limit: a client that has connected and sends nothing stops the timers and KNI traffic of the whole
 * process. So the request is complete before the connection is made and is sent in one write; no connection is pooled.
 */
import { connect, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { DpcapError, errnoOf } from '../errors.js';
import { decodeReply, encodeRequest, type Reply, type Request } from './message.js';

/** Time limit for connecting, retries, sending and answer together; an idle DPVS answers in tens of microseconds. */
const DEADLINE_MS = 2000;
const RETRY_MS = [2, 4, 8, 16] as const;

/** Options for tests. */
export interface TransportOptions {
  deadlineMs?: number | undefined;
  /** Called before each further attempt to connect. */
  onRetry?: (() => void) | undefined;
}

/** A reply, or `closed`: DPVS closes without a word when it has no handler for the request. */
export type Answer = { kind: 'reply'; reply: Reply } | { kind: 'closed' };

/**
 * Sends one request and reads the answer.
 * @throws DpcapError ERR_DPVS_ABSENT, ERR_DPVS_TIMEOUT, ERR_DPVS_FOREIGN or ERR_PERMISSION
 */
export async function exchange(path: string, request: Request, options: TransportOptions = {}): Promise<Answer> {
  const bytes = encodeRequest(request);
  const deadline = performance.now() + (options.deadlineMs ?? DEADLINE_MS);
  for (let attempt = 0; ; attempt++) {
    try {
      return await converse(path, bytes, request, deadline);
    } catch (error) {
      // The backlog is 1: two other clients wait already. Nothing was sent.
      if (errnoOf(error) !== 'EAGAIN' || error instanceof DpcapError) throw error;
      const pause = RETRY_MS[Math.min(attempt, RETRY_MS.length - 1)] as number;
      if (performance.now() + pause >= deadline) throw busy(path);
      options.onRetry?.();
      await sleep(pause);
    }
  }
}

/** Rejects with Node's own error on EAGAIN, with a DpcapError otherwise. */
function converse(path: string, bytes: Buffer, request: Request, deadline: number): Promise<Answer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    const socket: Socket = connect({ path });
    const settle = (act: () => void): void => {
      clearTimeout(timer);
      socket.destroy();
      act();
    };
    const fail = (error: Error): void => settle(() => reject(error));
    const timer = setTimeout(() => fail(late(path)), Math.max(1, deadline - performance.now()));
    const read = (): void => {
      const decoded = decodeReply(Buffer.concat(chunks), request);
      if (decoded.kind === 'foreign') fail(foreign(path, `its answer ${decoded.why}`));
      else if (decoded.kind === 'reply') settle(() => resolve(decoded));
    };
    socket.on('data', (chunk: Buffer) => {
      chunks.push(chunk);
      read();
    });
    socket.once('end', () => {
      const size = chunks.reduce((sum, chunk) => sum + chunk.length, 0);
      if (size > 0) fail(foreign(path, `its answer ends after ${size} bytes`));
      else settle(() => resolve({ kind: 'closed' }));
    });
    socket.on('error', (error) => {
      // DPVS closed during the write or with the request unread: it has no handler, or its process died.
      const errno = errnoOf(error);
      if (chunks.length === 0 && (errno === 'EPIPE' || errno === 'ECONNRESET'))
        settle(() => resolve({ kind: 'closed' }));
      else fail(connectError(path, error));
    });
    socket.write(bytes); // Node queues it until connected, then writes it in the same turn
  });
}

function connectError(path: string, error: Error): Error {
  const errno = errnoOf(error);
  switch (errno) {
    case 'EAGAIN':
      return error;
    case 'ENOENT':
    case 'ENOTDIR':
      return absent(path, 'there is no such socket', errno, error);
    case 'ECONNREFUSED':
      return absent(path, 'nobody listens there (DPVS leaves its socket behind when it ends)', errno, error);
    case 'EACCES':
    case 'EPERM':
      return new DpcapError('ERR_PERMISSION', `cannot connect to DPVS at ${path}`, {
        ...{ errno, subject: path, cause: error },
        hint: 'run dpcap as the user that runs DPVS (mostly root)',
      });
    case 'EPROTOTYPE':
      return foreign(path, 'the socket is of another kind');
    default:
      return new DpcapError('ERR_SYSTEM', `cannot talk to DPVS at ${path}`, { errno, subject: path, cause: error });
  }
}

function absent(path: string, why: string, errno: string, cause: Error): DpcapError {
  return new DpcapError('ERR_DPVS_ABSENT', `cannot reach DPVS at ${path}: ${why}`, {
    ...{ errno, subject: path, cause },
    hint: 'start DPVS, or name its socket with --ipc-file or DPVS_IPC_FILE (dpvs -x PATH)',
  });
}

function late(path: string): DpcapError {
  return new DpcapError('ERR_DPVS_TIMEOUT', `DPVS at ${path} did not answer in time`, {
    ...{ errno: 'ETIMEDOUT', subject: path },
    hint: 'it is stopped, or another client holds its only connection: look for a hung dpip, ipvsadm or keepalived',
  });
}

function busy(path: string): DpcapError {
  return new DpcapError('ERR_DPVS_TIMEOUT', `DPVS at ${path} accepts no further connection`, {
    ...{ errno: 'EAGAIN', subject: path },
    hint: 'two others wait already: look for a hung dpip, ipvsadm or keepalived, then try again',
  });
}

/** The process that listens there is no DPVS, or none that dpcap knows. */
export function foreign(path: string, why: string): DpcapError {
  return new DpcapError('ERR_DPVS_FOREIGN', `what listens at ${path} does not speak as DPVS does: ${why}`, {
    ...{ errno: 'EPROTO', subject: path },
    hint: 'check the path; dpcap knows DPVS 1.8.2 to 1.10.2',
  });
}
