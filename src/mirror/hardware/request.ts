/** What a mirror in hardware is asked for. Pure. */
import { DpcapError, UsageError } from '../../errors.js';
import type { FlowDestination, FlowOrder } from '../../native/flow-binding.js';
import { describePort, selectPorts } from '../../protocol/lanes.js';
import type { AgentPort, Lease } from '../agent/request.js';
import { matchOf, type Pattern } from './pattern.js';
import { patternText } from './testpmd.js';

/** Where packets go, as it was typed. */
export type Destination =
  | { kind: 'drop' }
  | { kind: 'queue'; queue: number }
  | { kind: 'port'; port: string }
  | { kind: 'jump'; group: number };

/** A request as it was typed, checked as far as that goes without the application. */
export interface HardwareRequest {
  /** Number or device name of a port. */
  source: string;
  /** A VF of that port's, whose packets are meant in place of the port's own. */
  vf: number | undefined;
  /** A port or a queue. */
  copy: Destination;
  /** What becomes of the originals. */
  fate: Destination;
  /** One packet in so many is copied. */
  ratio: number;
  counts: boolean;
  /** A rule for each. */
  patterns: readonly Pattern[];
}

/** A request on the ports of an application. */
export interface ResolvedFlow {
  patterns: readonly Pattern[];
  through: AgentPort;
  source: AgentPort;
  isTransfer: boolean;
  counts: boolean;
  ratio: number;
  copy: FlowDestination;
  fate: FlowDestination;
}

const LONGEST_TEXT = 511;
const MOST = { ratio: 2 ** 32 - 1, group: 2 ** 32 - 1, queue: 65_535, vf: 65_535 } as const;

/** @throws UsageError */
export function parseFate(text: string): Destination {
  const [, kind, value] = /^(jump|queue|port|drop)(?::(\S+))?$/.exec(text) ?? [];
  if (kind === 'drop' && value === undefined) return { kind };
  if (kind === 'port' && value !== undefined) return { kind, port: value };
  if (kind === 'queue' && value !== undefined) return { kind, queue: parseNumber('--fate', value, 0, MOST.queue) };
  if (kind === 'jump' && value !== undefined) return { kind, group: parseNumber('--fate', value, 1, MOST.group) };
  throw new UsageError(`--fate: ${JSON.stringify(text)} says not what becomes of the originals`, {
    subject: text,
    hint: 'use jump:GROUP (to the rules of a later group), queue:N, port:N (to what that port represents) or drop',
  });
}

/** A number of an option. @throws UsageError */
export function parseNumber(option: string, text: string, min: number, max: number): number {
  if (/^\d{1,10}$/.test(text) && Number(text) >= min && Number(text) <= max) return Number(text);
  throw new UsageError(`${option}: ${JSON.stringify(text)} is no number from ${min} to ${max}`, {
    subject: text,
    hint: `give a number from ${min} to ${max}`,
  });
}

/** @throws UsageError */
export function parseRatio(text: string): number {
  return parseNumber('--ratio', text, 1, MOST.ratio);
}

/** @throws UsageError */
export function parseVf(text: string): number {
  return parseNumber('--vf', text, 0, MOST.vf);
}

/**
 * Finds the ports of a request in the application, and refuses what cannot work.
 * @throws UsageError with the ports or queues that there are; DpcapError ERR_PORT_UNSUITABLE where a VF has no representor
 */
export function resolveFlow(request: HardwareRequest, ports: readonly AgentPort[]): ResolvedFlow {
  const { copy, fate, vf, patterns, counts, ratio } = request;
  const through = pickPort(request.source, ports);
  const source = vf === undefined ? through : representorOf(through, vf, ports);
  const isTransfer = copy.kind === 'port' && fate.kind !== 'queue';
  if (!isTransfer) checkIngress(request);
  const resolved = {
    copy: destination('--to-port', copy, through, ports),
    fate: destination('--fate', fate, through, ports),
  };
  if (copy.kind === 'port' && resolved.copy.value === source.id) {
    throw new UsageError(`the target is the source: port ${describePort(source)}`, {
      subject: source.name,
      hint: 'give another port with --to-port',
    });
  }
  return { patterns, counts, ratio, through, source, isTransfer, ...resolved };
}

/** A rule of a port's own receive side knows neither what a VF sends nor other ports as the fate. */
function checkIngress({ vf, fate, copy }: HardwareRequest): void {
  const what = copy.kind === 'queue' ? 'copies to a queue' : 'originals to a queue';
  if (vf !== undefined) {
    throw new UsageError(`--vf with ${what}: a VF's packets pass through the embedded switch alone`, {
      subject: '--vf',
      hint: 'give --to-port, and --fate port:N, jump:GROUP or drop',
    });
  }
  if (fate.kind !== 'port') return;
  throw new UsageError(`--fate port with ${what}: a rule is about the port's queues, or about the embedded switch`, {
    subject: '--fate',
    hint: 'give --to-port in place of --to-queue, or --fate queue:N, jump:GROUP or drop',
  });
}

function pickPort(selector: string, ports: readonly AgentPort[]): AgentPort {
  const [found] = selectPorts([selector], ports);
  return ports.find(({ id }) => id === found?.id) as AgentPort;
}

/**
 * Drivers name a representor after its PF's device and the number of the VF: `0000:03:00.0_representor_vf1` (mlx5),
 * `net_0000:03:00.0_representor_1` (ixgbe, i40e, ice, bnxt; 22.11 to 25.11).
 */
function representorOf(pf: AgentPort, vf: number, ports: readonly AgentPort[]): AgentPort {
  const ending = new RegExp(`_representor_(?:(?:c\\d+)?(?:pf\\d+)?vf)?${vf}$`);
  const found = ports.find(({ name }) => name.replace(/^net_/, '').startsWith(`${pf.name}_`) && ending.test(name));
  if (found) return found;
  throw new DpcapError('ERR_PORT_UNSUITABLE', `port ${describePort(pf)} has no representor of VF ${vf}`, {
    subject: `--vf ${vf}`,
    hint: `start the application with -a ${pf.name},representor=vf[${vf}]; the ports are ${ports.map(describePort).join(', ')}`,
  });
}

function destination(
  option: string,
  to: Destination,
  through: AgentPort,
  ports: readonly AgentPort[],
): FlowDestination {
  if (to.kind === 'drop') return { kind: 'drop', value: 0, device: '' };
  if (to.kind === 'jump') return { kind: 'jump', value: to.group, device: '' };
  if (to.kind === 'port') {
    const { id, name } = pickPort(to.port, ports);
    return { kind: 'port', value: id, device: name };
  }
  if (to.queue < through.rxQueues) return { kind: 'queue', value: to.queue, device: '' };
  const name = option === '--fate' ? option : '--to-queue';
  throw new UsageError(`${name}: port ${describePort(through)} has no receive queue ${to.queue}`, {
    code: 'ERR_QUEUE_RANGE',
    subject: String(to.queue),
    hint: `it has ${through.rxQueues}, numbered from 0`,
  });
}

/** What is the same in all rules of a mirror, by numbers. */
export function frameOf(flow: ResolvedFlow): Omit<ResolvedFlow, 'through' | 'source' | 'patterns'> & {
  through: number;
  source: number;
} {
  const { patterns: _, through, source, ...rest } = flow;
  return { ...rest, through: through.id, source: source.id };
}

/** The order for the agent. */
export function flowOrder(flow: ResolvedFlow, id: number, lease: Lease, validatesOnly: boolean): FlowOrder {
  const { patterns, through, source, isTransfer, counts, ratio, copy, fate } = flow;
  return {
    ...lease,
    id,
    isTransfer,
    counts,
    validatesOnly,
    ratio,
    copy,
    fate,
    throughPort: through.id,
    throughDevice: through.name,
    sourcePort: source.id,
    sourceDevice: source.name,
    matches: patterns.map(matchOf),
    text: shortened(flow),
  };
}

/** The patterns, as many as there is room for. They are of ASCII alone. */
function shortened(flow: ResolvedFlow): string {
  const all = flow.patterns.map((one) => patternText(frameOf(flow), one)).join(' or ');
  return all.length <= LONGEST_TEXT ? all : `${all.slice(0, LONGEST_TEXT - 3)}...`;
}
