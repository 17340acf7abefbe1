/**
 * A DPVS control socket made of dpvs.md alone: its tables are written down here a second time, on purpose. It serves one
 * connection at a time, as the real one does, and applies every bit of a SET, so that a wrong one shows in its ports.
 */
import { createServer, type Server, type Socket } from 'node:net';
import { basic, bondStatus, cString, header, padded } from './fake-bytes.js';

export { header };

export type DialectName = 'A' | 'B' | 'C';

/** State that a SET can change. */
export interface FakePort {
  id: number;
  name: string;
  mac: string;
  link: boolean;
  promisc: boolean;
  allmulticast: boolean;
  forward2kni: boolean;
  tcEgress: boolean;
  tcIngress: boolean;
  lldp: boolean;
}

/** One request as it came. */
export interface SeenRequest {
  type: number;
  id: number;
  body: Buffer;
  bytes: Buffer;
  /** Pieces it came in. */
  pieces: number;
}

/** What to do instead of answering: undefined answers. */
export type Fault =
  | { kind: 'close' }
  /** Holds the connection until the client gives up. */
  | { kind: 'hang' }
  | { kind: 'bytes'; bytes: Buffer }
  /** Answers when the promise settles. */
  | { kind: 'slow'; until: Promise<unknown> }
  | { kind: 'edit'; edit: (reply: Buffer) => Buffer }
  /** Says yes to a SET and does nothing. */
  | { kind: 'ignore' }
  /** Does it, and closes without an answer. */
  | { kind: 'mute' };

export interface FakeOptions {
  path: string;
  dialect: DialectName;
  version?: string;
  kni?: boolean;
  kniLcore?: number;
  ports?: Partial<FakePort>[];
  /** [base, end) of physical and of bond ids; default: all are physical. */
  ranges?: { physical: [number, number]; bond?: [number, number] };
  slaves?: Record<string, string[]>;
  fault?: (request: SeenRequest, index: number) => Fault | undefined;
}

const GETS: Record<DialectName, Record<number, string>> = {
  A: { 200: 'version', 500: 'lcores', 503: 'list', 504: 'basic', 507: 'bond', 1400: 'kni' },
  B: { 17: 'version', 56: 'lcores', 59: 'list', 60: 'basic', 64: 'bond', 98: 'kni' },
  C: { 17: 'version', 57: 'lcores', 60: 'list', 61: 'basic', 65: 'bond', 102: 'kni' },
};
const SETS: Record<DialectName, { port: number; others: number[] }> = {
  A: { port: 501, others: [500, 502] },
  B: { port: 53, others: [52, 54] },
  C: { port: 54, others: [53, 55] },
};
const TEXTS: Record<DialectName, string> = { A: 'dpvs:v1.9-4', B: 'dpvs:v1.9-6', C: 'dpvs:v1.10-2' };
const BLANK: FakePort = {
  id: 0,
  name: 'dpdk0',
  mac: '02:00:00:00:00:01',
  link: true,
  promisc: false,
  allmulticast: false,
  forward2kni: false,
  tcEgress: false,
  tcIngress: false,
  lldp: false,
};

export class FakeDpvs {
  readonly ports: FakePort[];
  readonly requests: SeenRequest[] = [];
  readonly #options: FakeOptions;
  readonly #server: Server;
  readonly #waiting: Socket[] = [];
  #serving: Socket | undefined;

  private constructor(options: FakeOptions) {
    this.#options = options;
    this.ports = (options.ports ?? [{}]).map((port, id) => ({ ...BLANK, id, ...port }));
    this.#server = createServer((socket) => {
      socket.on('error', () => {}); // the client went away
      socket.pause();
      this.#waiting.push(socket);
      this.#next();
    });
  }

  static async start(options: FakeOptions): Promise<FakeDpvs> {
    const fake = new FakeDpvs(options);
    await new Promise<void>((resolve) => fake.#server.listen({ path: options.path, backlog: 1 }, resolve));
    return fake;
  }

  /** SETs that came. */
  get sets(): SeenRequest[] {
    return this.requests.filter((request) => request.type === 1);
  }

  async stop(): Promise<void> {
    for (const socket of [...this.#waiting, this.#serving]) socket?.destroy();
    await new Promise<void>((resolve) => this.#server.close(() => resolve()));
  }

  #next(): void {
    if (this.#serving) return;
    const socket = this.#waiting.shift();
    if (!socket) return;
    this.#serving = socket;
    socket.once('close', () => {
      this.#serving = undefined;
      this.#next();
    });
    this.#serve(socket);
  }

  #serve(socket: Socket): void {
    let bytes = Buffer.alloc(0);
    let pieces = 0;
    socket.on('data', (chunk) => {
      bytes = Buffer.concat([bytes, chunk as Buffer]);
      pieces++;
      if (bytes.length < 24 || bytes.length < 24 + Number(bytes.readBigUInt64LE(16))) return;
      const request = {
        type: bytes.readUInt32LE(8),
        id: bytes.readUInt32LE(4),
        body: bytes.subarray(24),
        bytes,
        pieces,
      };
      this.requests.push(request);
      this.#answer(socket, request);
    });
    socket.resume();
  }

  #answer(socket: Socket, request: SeenRequest): void {
    const fault = this.#options.fault?.(request, this.requests.length - 1);
    if (fault?.kind === 'hang') return;
    if (fault?.kind === 'slow') {
      void fault.until.then(() => finish(socket, this.#reply(request)));
      return;
    }
    finish(socket, fault ? this.#misbehave(fault, request) : this.#reply(request));
  }

  #misbehave(fault: Fault, request: SeenRequest): Buffer | undefined {
    switch (fault.kind) {
      case 'bytes':
        return fault.bytes;
      case 'ignore':
        return header(request, 0, Buffer.alloc(0));
      case 'edit': {
        const reply = this.#reply(request);
        return reply && fault.edit(reply);
      }
      case 'mute':
        this.#reply(request);
        return undefined;
      default:
        return undefined;
    }
  }

  /** Undefined: there is no handler, and the connection is closed. */
  #reply(request: SeenRequest): Buffer | undefined {
    if (request.bytes.readUInt32LE(0) !== 0x00010000) return undefined;
    if (request.type === 1) return this.#set(request);
    const what = request.type === 0 ? GETS[this.#options.dialect][request.id] : undefined;
    const body = what === undefined ? undefined : this.#get(what, cString(request.body));
    if (body === undefined) return undefined;
    return typeof body === 'number' ? header(request, body, Buffer.alloc(0)) : header(request, 0, body);
  }

  #get(what: string, name: string): Buffer | number | undefined {
    const { dialect, version, kni = true, kniLcore = 0, slaves = {} } = this.#options;
    const port = this.ports.find((one) => one.name === name);
    switch (what) {
      case 'version':
        return padded(version ?? TEXTS[dialect], 64);
      case 'list':
        return this.#list();
      case 'basic':
        return port ? basic(port, dialect) : -4;
      case 'bond':
        return slaves[name] ? bondStatus(slaves[name]) : -1;
      case 'kni':
        return kni ? -1 : undefined;
      default:
        return Buffer.concat([Buffer.from([1, kniLcore, 2, 0, 0, 0, 0, 0]), Buffer.alloc(16)]);
    }
  }

  #list(): Buffer {
    const { physical, bond = [0xffff, 0xffff] } = this.#options.ranges ?? { physical: [0, this.ports.length] };
    const head = Buffer.alloc(10);
    [this.ports.length, ...physical, ...bond].forEach((word, i) => {
      head.writeUInt16LE(word, 2 * i);
    });
    const entries = this.ports.map(({ id, name }) => {
      const entry = Buffer.alloc(18);
      entry.writeUInt16LE(id);
      entry.write(name.slice(0, 16), 2, 'latin1');
      return entry;
    });
    return Buffer.concat([head, ...entries]);
  }

  #set(request: SeenRequest): Buffer | undefined {
    const ids = SETS[this.#options.dialect];
    const empty = Buffer.alloc(0);
    if (request.id !== ids.port) return ids.others.includes(request.id) ? header(request, -1, empty) : undefined;
    const port = this.ports.find(({ name }) => name === cString(request.body));
    if (request.body.length !== 52 || !port) return header(request, -1, empty);
    const mac = cString(request.body.subarray(32, 50));
    if (/^([0-9a-f]{2}:){5}[0-9a-f]{2}$/i.test(mac)) port.mac = mac;
    apply(port, request.body.readUInt16LE(50), this.#options.dialect);
    return header(request, 0, empty);
  }
}

/** Sends a whole answer, or closes without one. */
function finish(socket: Socket, bytes: Buffer | undefined): void {
  if (bytes) socket.end(bytes);
  else socket.destroy();
}

export type Switch = Exclude<keyof FakePort, 'id' | 'name' | 'mac'>;

/** Bit pairs from the lowest up: on, off. */
const SWITCHES: Record<DialectName, Switch[]> = {
  A: ['promisc', 'link', 'forward2kni', 'tcEgress', 'tcIngress'],
  B: ['promisc', 'allmulticast', 'link', 'forward2kni', 'tcEgress', 'tcIngress'],
  C: ['promisc', 'allmulticast', 'link', 'forward2kni', 'tcEgress', 'tcIngress', 'lldp'],
};

function apply(port: FakePort, flags: number, dialect: DialectName): void {
  SWITCHES[dialect].forEach((name, i) => {
    if (flags & (1 << (2 * i))) port[name] = true;
    else if (flags & (2 << (2 * i))) port[name] = false;
  });
}
