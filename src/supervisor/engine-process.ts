/** An engine process. Its supervisor starts it, talks to it and asks it to give up, but never kills it inside EAL. */
import type { ChildProcess } from 'node:child_process';
import type { Socket } from 'node:net';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { DpcapError } from '../errors.js';
import { runtimeEnvironment } from '../primary/runtime-dir.js';
import { removeSockets } from '../primary/secondaries.js';
import { SECTIONS, type SectionName } from '../protocol/critical-sections.js';
import type { FromEngine, ToEngine } from '../protocol/messages.js';
import { INHERITED_FD } from '../sinks/descriptor.js';
import { diagnostics } from '../system/diagnostics.js';
import { entryFile } from '../system/location.js';
import type { Logger } from '../system/log.js';
import { spawnNode } from '../system/own-process.js';

/** The engine's entry file; only tests replace it. */
export const ENGINE = entryFile('engine');

/** What takes an engine's packets in this process. Each engine that is tried has a pipe of its own. */
export interface Receiver {
  receive(stream: Readable): void;
}

/** What the engine inherits as INHERITED_FD: a descriptor of this process, or a pipe, to another process or to this one. */
export type Inherited = number | NodeJS.WritableStream | Receiver | undefined;

/** What the engine's descriptors are in this process: an output, if it inherits that, a file to read, if it reads one. */
export interface Descriptors {
  output?: Inherited;
  /** It is the engine's standard input. */
  input?: number | undefined;
  /** Takes the lines that the engine prints; default: standard error. */
  printed?: ((line: string) => void) | undefined;
}

/** How long an engine that was told to give up may take to end before its supervisor ends without it. */
const ABANDON_LIMIT_MS = 3000;

/**
 * Whenever Node starts, it reads the certificates that this variable names. That takes 30 ms, and the engine has no use
 * for them.
 */
function withoutCertificates({ NODE_EXTRA_CA_CERTS: _, ...env }: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return env;
}

/** What libuv hands to io_uring goes on as the user that the engine began as, when it has become another (CVE-2024-22017). */
const NO_IO_URING = { UV_USE_IO_URING: '0' };

function isReceiver(output: Inherited): output is Receiver {
  return typeof output === 'object' && 'receive' in output;
}

/** A running engine and the conversation with it. */
export class EngineProcess {
  readonly child: ChildProcess;
  readonly #exit: Promise<string>;
  readonly #abandoned: Promise<never>;
  #abandon: (error: DpcapError) => void = () => {};
  #section: SectionName | undefined;
  #isAbandoned = false;

  /** @param runtimeDir the runtime directory of the primary that it is to join; empty for none */
  constructor(file: string, seed: number, { output, input, printed }: Descriptors, runtimeDir: string, log: Logger) {
    this.child = spawnNode([`--random-seed=${seed}`, '--max-old-space-size=128', file], {
      // Packets never go to its standard output: a library of the engine may print something there.
      stdio: [
        input ?? 'ignore',
        'ignore',
        'pipe',
        'ipc',
        isReceiver(output) ? 'pipe' : ((output ?? 'ignore') as 'ignore'),
      ],
      serialization: 'advanced',
      env: { ...withoutCertificates(process.env), ...runtimeEnvironment(runtimeDir), ...NO_IO_URING },
      // It gets its own session: Ctrl-Z must not stop, nor Ctrl-\\ kill, a process that owes answers to the primary.
      detached: true,
    });
    if (isReceiver(output)) output.receive(this.child.stdio[INHERITED_FD] as Readable);
    this.#passOnLastWords(this.child.stderr as Socket, printed);
    this.#exit = new Promise((resolve) => {
      this.child.once('error', (error) => resolve(error.message));
      this.child.once('exit', (code, signal) => {
        const end = (): void => resolve(signal ?? `exit code ${code}`);
        // It may have been killed.
        if (this.child.pid !== undefined && runtimeDir !== '') removeSockets(runtimeDir, this.child.pid);
        // The engine's last messages may not have been read yet.
        if (this.child.connected) this.child.once('disconnect', end);
        else end();
      });
    });
    this.#abandoned = new Promise((_, reject) => {
      this.#abandon = reject;
    });
    this.#abandoned.catch(() => undefined); // it may come when nobody waits any more
    this.child.on('message', (message: FromEngine) => {
      if (message.type === 'section') this.#section = message.name;
    });
    log.debug({ pid: this.child.pid, seed }, 'engine started');
  }

  /** What the engine prints is not one of its messages: it crashed, or a library reports something. */
  #passOnLastWords(stderr: Socket, printed: Descriptors['printed']): void {
    if (printed) createInterface({ input: stderr }).on('line', printed);
    else diagnostics.passOn(stderr);
    stderr.unref(); // this process does not wait for an engine that cannot die
    this.child.once('exit', () => stderr.ref());
  }

  send(message: ToEngine): void {
    if (this.child.connected) this.child.send(message, () => undefined); // it may have just ended: its exit says so
  }

  get isAbandoned(): boolean {
    return this.#isAbandoned;
  }

  /** What the engine does in the primary now, in words; undefined when it does nothing there that needs care. */
  get doing(): string | undefined {
    return this.#section && SECTIONS[this.#section];
  }

  /**
   * Makes the engine leave everything where it is. It ends by itself as soon as it is out of EAL. A caller waits for it
   * no longer than ABANDON_LIMIT_MS, and then gets a rejection.
   */
  abandon(): void {
    if (this.#isAbandoned) return;
    this.#isAbandoned = true;
    this.send({ type: 'abandon' });
    const timer = setTimeout(() => this.#leaveAlone(), ABANDON_LIMIT_MS);
    this.child.once('exit', () => clearTimeout(timer));
  }

  #leaveAlone(): void {
    const { pid } = this.child;
    const doing = this.doing ? `${this.doing}, and must not be killed meanwhile` : 'waiting for its output';
    if (this.child.connected) this.child.disconnect();
    this.child.unref();
    this.#abandon(
      new DpcapError('ERR_ENGINE_DIED', `gave up waiting for the capture engine, pid ${pid}: it is ${doing}`, {
        subject: String(pid),
        hint: `it ends by itself as soon as it can; clear what it leaves in the primary with: dpcap recover`,
      }),
    );
  }

  /** Calls `handle` for each message until it returns a result. Rejects when the engine ends first or is left alone. */
  async converse<T>(handle: (message: FromEngine) => T | undefined): Promise<T> {
    const answer = new Promise<T>((resolve) => {
      this.child.on('message', (message: FromEngine) => {
        const result = handle(message);
        if (result !== undefined) resolve(result);
      });
    });
    const died = this.#exit.then((how) => {
      throw new DpcapError('ERR_ENGINE_DIED', `the capture engine ended unexpectedly (${how})`, { subject: how });
    });
    try {
      return await Promise.race([answer, died, this.#abandoned]);
    } finally {
      died.catch(() => undefined); // once the answer is there, the end of the engine is expected
    }
  }

  /** Resolves when the process is gone, or has been left alone. */
  async ended(): Promise<void> {
    await Promise.race([this.#exit, this.#abandoned.catch(() => undefined)]);
  }
}
