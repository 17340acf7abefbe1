/** A session with a file of packets, or a pipe with one: there is no application, and its interfaces are the ports. */
import { setTimeout as sleep } from 'node:timers/promises';
import { DpcapError, UsageError } from '../../errors.js';
import { hostAddon } from '../../native/addons.js';
import { checked, nativeError } from '../../native/errors.js';
import type { AttachedFacts, InputPart } from '../../native/primary-binding.js';
import type { InputFacts, InputHandle, InputInterface } from '../../native/reader-binding.js';
import type { EnginePlan } from '../../protocol/plan.js';
import type { CaptureSession } from './capture-session.js';
import { UnjoinedSession, unjoinedFacts } from './unjoined-session.js';

/** The engine's standard input is what it reads. */
const INPUT_FD = 0;
/** Time between two looks at a pipe that has not told what it is. */
const LOOK_MS = 10;
const ETHERNET = 1;

/** What is taken for the interface of a file that tells of none: it has no packets either. */
const NO_INTERFACE: InputInterface = {
  name: '',
  description: '',
  filter: '',
  linkType: ETHERNET,
  snaplen: 0,
  options: new Uint8Array(),
};
/** What is taken for a pipe whose reading was ended before anything came. */
const NOTHING_READ: InputFacts = { format: 'pcap', codec: 'none', comment: '', interfaces: [] };

type Target = Pick<EnginePlan, 'expression' | 'format'> & { input: NonNullable<EnginePlan['input']> };

export class ReadSession extends UnjoinedSession implements CaptureSession {
  readonly #target: Target;
  #isInterrupted = false;
  readonly addon = hostAddon();
  readonly way = 'file';

  constructor(target: Target) {
    super();
    this.#target = target;
  }

  /**
   * @throws DpcapError ERR_INPUT_FILE, UsageError when what is asked for cannot be done with such a file
   */
  async attach(): Promise<AttachedFacts> {
    const handle = checked(() => this.addon.openInput(INPUT_FD), this.way);
    const facts = await this.#head(handle);
    const interfaces = facts.interfaces.length > 0 ? facts.interfaces : [NO_INTERFACE];
    const input: InputPart = { ...facts, interfaces, handle };
    refuseUnsuitable(this.#target, interfaces);
    const ports = interfaces.map(({ name }, id) => ({ id, name: name || `interface ${id}`, rxQueues: 1, txQueues: 0 }));
    return { ...unjoinedFacts(ports), input };
  }

  async #head(handle: InputHandle): Promise<InputFacts> {
    const { name } = this.#target.input;
    try {
      while (!this.#isInterrupted) {
        const facts = await this.addon.readInputHead(handle);
        if (facts) return facts;
        await sleep(LOOK_MS);
      }
      return NOTHING_READ;
    } catch (thrown) {
      throw inputError(name, nativeError(thrown, this.way));
    }
  }

  /** A pipe may never tell what it is. */
  interrupt(): void {
    this.#isInterrupted = true;
  }

  isPrimaryAlive(): boolean {
    return true;
  }
}

/** The addon's error, with the name of the file. */
function inputError(name: string, error: DpcapError): DpcapError {
  if (error.code !== 'ERR_INPUT_FILE') return error;
  return new DpcapError('ERR_INPUT_FILE', `cannot read ${name}: ${error.message}`, {
    cause: error,
    errno: error.errno,
    subject: name,
    hint: 'capinfos FILE tells what else it may be; dpcap reads pcap and pcapng, also compressed with gzip, zstd or lz4',
  });
}

/** Filters are made for Ethernet, and a pcap file has one link type. */
function refuseUnsuitable({ input, expression, format }: Target, interfaces: readonly InputInterface[]): void {
  const types = [...new Set(interfaces.map(({ linkType }) => linkType))];
  const [foreign] = types.filter((type) => type !== ETHERNET);
  if (expression !== '' && foreign !== undefined) {
    throw new UsageError(`${input.name} has packets of link type ${foreign}, and dpcap's filters are for Ethernet`, {
      code: 'ERR_FILTER_UNSUPPORTED',
      subject: input.name,
      hint: 'filter it with: tcpdump -r FILE -w FILE EXPRESSION, or tshark -r FILE -Y FILTER',
    });
  }
  if (format === 'pcapng' || types.length === 1) return;
  throw new UsageError(`${input.name} has packets of link types ${types.join(' and ')}, and pcap has room for one`, {
    subject: input.name,
    hint: 'write pcapng: -w FILE.pcapng, or -F pcapng -w - | tshark -r -',
  });
}
