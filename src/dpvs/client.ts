/** A DPVS behind its control socket: typed questions, and the one change that dpcap makes. Requests are sequential. */
import { DpcapError, UsageError } from '../errors.js';
import {
  encodePortName,
  encodeSetForward,
  type ListedPort,
  type PortBasic,
  parseBondSlaves,
  parseKniLcore,
  parsePortBasic,
  parsePortList,
} from './bodies.js';
import { type Identity, identify } from './detect.js';
import { GET, type Reply, SET } from './message.js';
import { type Answer, exchange, foreign, type TransportOptions } from './transport.js';

const EMPTY = new Uint8Array(0);
const NOT_EXIST = -4;
/** The first release with the keyword `kni on|off`, and the first that answers "get KNI list" only when KNI is on. */
const KNI_SWITCH_SINCE = [1, 9, 4] as const;

export class DpvsClient {
  readonly path: string;
  readonly #options: TransportOptions;
  #identity: Identity | undefined;
  #turn: Promise<unknown> = Promise.resolve();

  constructor(path: string, options: TransportOptions = {}) {
    this.path = path;
    this.#options = options;
  }

  /**
   * The identity is probed once, on first use.
   * @throws DpcapError ERR_DPVS_ABSENT, ERR_DPVS_TIMEOUT, ERR_DPVS_FOREIGN or ERR_PERMISSION, as all methods do
   */
  async identity(): Promise<Identity> {
    this.#identity ??= await identify((id, body) => this.#send(GET, id, body));
    if (!this.#identity) throw foreign(this.path, 'it answers no request that a known release has');
    return this.#identity;
  }

  async ports(): Promise<ListedPort[]> {
    const { dialect } = await this.identity();
    const ports = parsePortList((await this.#get(dialect.get.portList, EMPTY, 'the port list')).body);
    if (!ports) throw foreign(this.path, 'its port list is malformed');
    return ports;
  }

  /**
   * State of a port. The reply is checked to be about this port.
   * @throws UsageError ERR_PORT_UNKNOWN when no port has this name
   */
  async port(name: string): Promise<PortBasic> {
    const { dialect } = await this.identity();
    const reply = await this.#get(dialect.get.portBasic, encodePortName(name), `the state of ${name}`, [NOT_EXIST]);
    if (reply.errcode === NOT_EXIST) throw unknownPort(name, this.path);
    const port = parsePortBasic(reply.body, dialect);
    if (port?.name !== name)
      throw foreign(this.path, `what it says about ${name} does not read as dialect ${dialect.name}`);
    return port;
  }

  /** Names of a bond's slaves; empty when the port is no bond. */
  async slaves(bond: string): Promise<string[]> {
    const { dialect } = await this.identity();
    const answer = await this.#send(GET, dialect.get.bondStatus, encodePortName(bond));
    if (answer.kind === 'closed' || answer.reply.errcode !== 0) return [];
    const slaves = parseBondSlaves(answer.reply.body);
    if (!slaves) throw foreign(this.path, `its list of the slaves of ${bond} is malformed`);
    return slaves;
  }

  /** Whether DPVS was configured with `kni on`; undefined when it does not tell. */
  async kni(): Promise<boolean | undefined> {
    const { dialect, release } = await this.identity();
    if (release === undefined || isBefore(release, KNI_SWITCH_SINCE)) return undefined;
    const answer = await this.#send(GET, dialect.get.kniList, EMPTY);
    return answer.kind === 'reply';
  }

  /** The lcore that serves KNI alone; 0: none, so the master lcore serves it; undefined when DPVS does not tell. */
  async kniLcore(): Promise<number | undefined> {
    const { dialect, release } = await this.identity();
    if (release === undefined) return undefined; // 1.8.2 and 1.8.4 have the number of slaves in its place
    const answer = await this.#send(GET, dialect.get.lcoreMask, EMPTY);
    return answer.kind === 'reply' && answer.reply.errcode === 0 ? parseKniLcore(answer.reply.body) : undefined;
  }

  /**
   * Sends the SET. The caller has to read back what it did, also when this method rejects.
   * @throws DpcapError ERR_DPVS_DOUBT before anything is sent, ERR_DPVS_REFUSED
   */
  async setForward(name: string, on: boolean): Promise<void> {
    const { dialect, doubt } = await this.identity();
    if (doubt) throw inDoubt(this.path, doubt);
    const answer = await this.#send(SET, dialect.setPort, encodeSetForward(dialect, name, on));
    this.#accept(answer, `switching forward2kni of ${name}`, []);
  }

  async #get(id: number, body: Uint8Array, what: string, expected: readonly number[] = []): Promise<Reply> {
    return this.#accept(await this.#send(GET, id, body), `telling ${what}`, expected);
  }

  #accept(answer: Answer, what: string, expected: readonly number[]): Reply {
    if (answer.kind === 'closed') throw foreign(this.path, `it closed the connection instead of ${what}`);
    const { errcode, errstr } = answer.reply;
    if (errcode === 0 || expected.includes(errcode)) return answer.reply;
    throw new DpcapError('ERR_DPVS_REFUSED', `DPVS refused ${what}: ${errstr || 'no reason given'} (${errcode})`, {
      subject: this.path,
      hint: "DPVS's own log says more",
    });
  }

  /** Sends one request at a time: DPVS has room for two waiting connections, of all its clients together. */
  #send(type: typeof GET | typeof SET, id: number, body: Uint8Array): Promise<Answer> {
    const answer = this.#turn.then(() => exchange(this.path, { type, id, body }, this.#options));
    this.#turn = answer.catch(() => undefined); // the caller gets the error; the next request has its own turn
    return answer;
  }
}

function isBefore(release: string, since: readonly number[]): boolean {
  const parts = release.split(/[.-]/).map(Number);
  const differing = since.findIndex((part, i) => part !== parts[i]);
  return differing !== -1 && (parts[differing] ?? 0) < (since[differing] as number);
}

function unknownPort(name: string, path: string): UsageError {
  return new UsageError(`DPVS at ${path} has no port ${name}`, {
    code: 'ERR_PORT_UNKNOWN',
    subject: name,
    hint: 'dpcap list shows its ports',
  });
}

function inDoubt(path: string, doubt: string): DpcapError {
  return new DpcapError('ERR_DPVS_DOUBT', `nothing was changed in DPVS at ${path}: ${doubt}`, {
    subject: path,
    hint: 'a wrong bit would take the link down; use the dpip of that DPVS instead: dpip link set PORT forward2kni on|off',
  });
}
