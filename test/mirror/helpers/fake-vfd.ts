/**
 * A VFd on real FIFOs that behaves as vfd.md says. Its own state is what tests compare with, not its answers: those may
 * lie, as the daemon's do.
 */
import { execFileSync } from 'node:child_process';
import { closeSync, constants, existsSync, openSync, readdirSync, writeSync } from 'node:fs';
import { Socket } from 'node:net';
import { scanJson, toValue } from '../../../src/mirror/vfd/config/lenient-json.js';
import { FakeVfdState, type Received } from './fake-vfd-state.js';

export { type FakePf, type Received, vfPci } from './fake-vfd-state.js';

/**
 * What becomes of one request. none: read and forgotten. lost: carried out, the answer dropped. cut: the answer ends
 * early; stall: it ends early and stays open.
 */
export type Behaviour =
  | 'answer'
  | 'none'
  | 'lost'
  | 'cut'
  | 'stall'
  | 'rubbish'
  | 'foreign'
  | 'no id'
  | { lateMs: number }
  | { error: string };

const STALL_MS = 250;
const DAEMONS_OWN = ['request', 'vfd.cfg', 'config', 'config_live', 'log'];

export class FakeVfd extends FakeVfdState {
  readonly requests: Received[] = [];
  latencyMs = 0;
  /** Decides about each answer. */
  behave: (request: Received) => Behaviour = () => 'answer';
  /** Called for each request before it is carried out. */
  onRequest: (request: Received) => void = () => undefined;
  #socket: Socket | undefined;
  #buffer = '';
  #work: Promise<void> = Promise.resolve();

  start(): this {
    if (!existsSync(this.fifo)) execFileSync('mkfifo', ['-m', '666', this.fifo]);
    // It holds a write end of its own, so that the FIFO never ends.
    this.#socket = new Socket({ fd: openSync(this.fifo, constants.O_RDWR | constants.O_NONBLOCK), readable: true });
    this.#socket.on('data', (bytes) => this.#feed(bytes.toString('latin1')));
    return this;
  }

  /** As when it dies: the FIFO stays, and nobody reads it. */
  async stop(): Promise<void> {
    const socket = this.#socket;
    this.#socket = undefined;
    if (!socket) return;
    await new Promise<void>((resolve) => socket.once('close', () => resolve()).destroy());
    await this.#work;
  }

  /** Names in the FIFO's directory that are not the daemon's: what clients left. */
  leftovers(): string[] {
    return readdirSync(this.dir).filter((name) => !DAEMONS_OWN.includes(name));
  }

  /** Lines until an empty one; what there is when the FIFO is empty counts when it ends a line, else it is glued on. */
  #feed(text: string): void {
    this.#buffer += text;
    if (!this.#buffer.endsWith('\n')) return;
    const requests = this.#buffer.split('\n\n').filter((one) => one.trim() !== '');
    this.#buffer = '';
    for (const request of requests) this.#work = this.#work.then(() => this.#serve(request.slice(0, 8192)));
  }

  async #serve(text: string): Promise<void> {
    const request = this.#parse(text);
    if (!request) return; // unreadable: never answered
    this.requests.push(request);
    this.onRequest(request);
    await pause(this.latencyMs);
    const behaviour = this.behave(request);
    if (behaviour === 'none') return;
    const isError = typeof behaviour === 'object' && 'error' in behaviour;
    const [state, lines] = isError ? ['ERROR', [behaviour.error]] : this.carryOut(request);
    if (state === undefined) return;
    if (typeof behaviour === 'object' && 'lateMs' in behaviour) await pause(behaviour.lateMs);
    this.#answer(request, behaviour, state, lines);
  }

  #parse(text: string): Received | undefined {
    try {
      const value = toValue(scanJson(text)) as { action?: unknown; params?: Record<string, unknown> };
      if (!text.startsWith('{') || typeof value.action !== 'string') return undefined;
      return { text, action: value.action, params: value.params ?? {}, on: [...this.mirrors.keys()] };
    } catch {
      return undefined;
    }
  }

  /** The FIFO is opened only now, and the answer dropped when nobody reads it. */
  #answer({ params }: Received, behaviour: Behaviour, state: string, lines: string[]): void {
    if (behaviour === 'lost' || typeof params.r_fifo !== 'string') return;
    try {
      const fd = openSync(params.r_fifo, constants.O_WRONLY | constants.O_NONBLOCK);
      for (const piece of pieces(params.vfd_rid, behaviour, state, lines)) writeSync(fd, piece);
      if (behaviour === 'stall') setTimeout(() => closeSync(fd), STALL_MS).unref();
      else closeSync(fd);
    } catch {
      // ENXIO, ENOENT: dropped; the request was carried out
    }
  }
}

/** One write each: the header, the lines, the trailer. */
function pieces(rid: unknown, behaviour: Behaviour, state: string, lines: string[]): string[] {
  if (behaviour === 'rubbish') return ['Segmentation fault\n@eom@\n'];
  const id =
    behaviour === 'foreign' ? 'somebody-else' : behaviour === 'no id' ? 'not-supplied' : (rid ?? 'not-supplied');
  const header = `{ "action": "response", "vfd_rid": "${id}", "state": "${state}", "msg": [`;
  const body = lines.filter((line) => line !== '').map((line, i) => `${i === 0 ? '' : ','}\n"${line}"`);
  const trailer = behaviour === 'cut' || behaviour === 'stall' ? [] : [' ] }\n@eom@\n'];
  return [header, ...body, ...trailer];
}

async function pause(ms: number): Promise<void> {
  if (ms > 0) await new Promise((resolve) => setTimeout(resolve, ms));
}
