/** The plan of a capture: a frozen value, made from options before anything is attached, carried out by the engine. */
import * as z from 'zod/mini';
import { MAX_SNAPLEN } from '../cli/capture-options.js';
import type { Placement } from '../engine/cpus.js';
import { mempoolSize } from '../engine/mempool-size.js';
import { assignThreads, MAX_THREADS } from '../engine/thread-assignment.js';
import { UsageError } from '../errors.js';
import type { LanePlan, NativePlan } from '../native/capture-binding.js';
import type { Port } from '../native/primary-binding.js';

/** Where the engine finds an output that it inherits: behind the standard descriptors, which stay what they are, and IPC. */
export const INHERITED_FD = 4;

/** What the engine is told. Crosses a process boundary as JSON and is checked on arrival. */
export const planSchema = z.strictObject({
  filePrefix: z.string(),
  runtimeDir: z.string(),
  /** Undefined when the primary lives in another PID namespace. */
  primaryPid: z.optional(z.int().check(z.positive())),
  /** When it started, clock ticks since boot: with the pid it is that very process. */
  primaryStartTicks: z.optional(z.int()),
  /** It is a DPVS. */
  isDpvs: z.optional(z.boolean()),
  /** See agreeOnOps. */
  trustMempools: z.optional(z.boolean()),
  /** See MemoryLimits. */
  primaryMemory: z.strictObject({ isFixed: z.boolean(), socketLimitBytes: z.optional(z.number()) }),
  /** "dpdk-testpmd (pid 4711)", for descriptions. */
  primaryName: z.string(),
  ports: z.array(z.string()),
  directions: z.array(z.enum(['rx', 'tx'])).check(z.minLength(1)),
  queues: z.optional(z.array(z.int().check(z.minimum(0), z.maximum(1023)))),
  /** Text of the filter, empty for none. */
  expression: z.string(),
  /** How the filter takes VLAN tags, for people. */
  reading: z.optional(z.string()),
  /** What it says that few people mean. */
  notes: z.optional(z.array(z.string())),
  /** eBPF as base64, empty for match-all. */
  program: z.string(),
  /** The one for transmitted packets, when it is another. */
  programTx: z.optional(z.string()),
  output: z.discriminatedUnion('kind', [
    /** A regular file, written under the name `unfinished` until it is finished; without one it is written in place. */
    z.strictObject({ kind: z.literal('file'), path: z.string(), unfinished: z.optional(z.string()) }),
    /** A FIFO or a device that is there. */
    z.strictObject({ kind: z.literal('device'), path: z.string() }),
    /** An open descriptor the engine inherits; `name` is for people. */
    z.strictObject({ kind: z.literal('fd'), fd: z.int(), name: z.string() }),
    /** A kernel interface that is there: packets are sent out of it. */
    z.strictObject({ kind: z.literal('interface'), name: z.string() }),
    /** A kernel interface of our own: one for both directions, or one for each. */
    z.strictObject({
      kind: z.literal('tap'),
      rxName: z.string(),
      txName: z.string(),
      netns: z.string(),
      mtu: z.int(),
      maxRate: z.int().check(z.nonnegative()),
      /** Each has a thread of its own. */
      queues: z.int().check(z.minimum(1), z.maximum(MAX_THREADS)),
    }),
  ]),
  format: z.enum(['pcap', 'pcapng']),
  nanoseconds: z.boolean(),
  mode: z.enum(['plain', 'stamped']),
  snaplen: z.int().check(z.minimum(1), z.maximum(MAX_SNAPLEN)),
  packetLimit: z.int().check(z.nonnegative()),
  byteLimit: z.int().check(z.nonnegative()),
  /** Undefined for the default, which may grow. */
  bufferBytes: z.optional(z.int()),
  /** That drain; undefined: what rings and CPUs allow. */
  threads: z.optional(z.int().check(z.minimum(1), z.maximum(MAX_THREADS))),
  /** Largest frame of the ports, bytes, when the primary tells its MTUs. */
  maxFrame: z.optional(z.int()),
  /** 0: nobody wants to see any but the last statistics. */
  statsIntervalMs: z.int().check(z.nonnegative()),
  /** The command line, for people who find what a dead capture left. */
  purpose: z.string(),
});

export type EnginePlan = Readonly<z.infer<typeof planSchema>>;

/**
 * The lanes of a plan on the ports there are: one for each port, queue and direction.
 * @throws UsageError ERR_PORT_UNKNOWN or ERR_QUEUE_RANGE, with what there is
 */
export function selectLanes(plan: EnginePlan, ports: readonly Port[]): LanePlan[] {
  const chosen = selectPorts(plan.ports, ports);
  const lanes = chosen.flatMap((port, index) =>
    plan.directions.flatMap((direction) =>
      selectQueues(plan.queues, direction === 'rx' ? port.rxQueues : port.txQueues).map((queue) => ({
        device: port.name,
        port: port.id,
        queue,
        direction,
        interface: index,
      })),
    ),
  );
  if (lanes.length > 0) return lanes;
  const have = chosen.map((port) => `${describePort(port)} has ${port.rxQueues} rx and ${port.txQueues} tx queues`);
  throw new UsageError(`no such queue: ${plan.queues?.join(',') ?? 'none are set up'}`, {
    code: 'ERR_QUEUE_RANGE',
    hint: have.join('; '),
  });
}

/** The ports that lanes refer to by `interface`, in that order. */
export function selectPorts(selectors: readonly string[], ports: readonly Port[]): Port[] {
  const first = ports[0];
  if (!first) {
    throw new UsageError('the primary has no ports', {
      code: 'ERR_PORT_UNKNOWN',
      hint: 'dpcap list shows what it has',
    });
  }
  if (selectors.length === 0) return [first];
  if (selectors.includes('any')) return [...ports];
  const chosen = selectors.map((selector) => {
    const found = ports.find((port) => String(port.id) === selector || port.name === selector);
    if (found) return found;
    throw new UsageError(`there is no port ${selector}`, {
      code: 'ERR_PORT_UNKNOWN',
      subject: selector,
      hint: `the ports are ${ports.map(describePort).join(', ')}`,
    });
  });
  return [...new Set(chosen)];
}

function selectQueues(wanted: readonly number[] | undefined, count: number): number[] {
  const all = Array.from({ length: count }, (_, queue) => queue);
  return wanted === undefined ? all : all.filter((queue) => wanted.includes(queue));
}

/** "0 (net_null0)" */
export function describePort(port: { id: number; name: string }): string {
  return `${port.id} (${port.name})`;
}

/** What a plan meets where it is carried out. */
export interface Surroundings {
  ports: readonly Port[];
  /** Of DPDK. */
  version: string;
  placement: Placement;
  /** What the primary and all who share its memory can still use, bytes. */
  usableBytes: number;
}

/** The plan in the addon's terms. */
export function nativePlan(
  plan: EnginePlan,
  lanes: LanePlan[],
  sink: NativePlan['sink'],
  { ports, version, placement, usableBytes }: Surroundings,
): NativePlan {
  const chosen = selectPorts(plan.ports, ports);
  // Into an interface with one lane nothing is sorted, and the kernel stamps: plain copies cost the primary less.
  const isInterface = plan.output.kind === 'tap' || plan.output.kind === 'interface';
  const mode = isInterface && lanes.length === 1 ? 'plain' : plan.mode;
  return {
    ...assignThreads(lanes, sink, placement, plan),
    interfaces: chosen.map((port) => ({
      name: port.name,
      description: `port ${port.id} of ${plan.primaryName}`,
      filter: plan.expression,
    })),
    program: Buffer.from(plan.program, 'base64'),
    programTx: Buffer.from(plan.programTx ?? plan.program, 'base64'),
    mode,
    format: plan.format,
    nanoseconds: plan.nanoseconds,
    snaplen: plan.snaplen,
    info: {
      application: `dpcap (DPDK ${version})`,
      operatingSystem: `${process.platform} ${process.arch}`,
      comment:
        mode === 'stamped'
          ? 'timestamps: taken by the primary when it handled the packet (TSC), converted to CLOCK_REALTIME'
          : 'timestamps: CLOCK_REALTIME when dpcap took the copy from its ring',
    },
    packetLimit: plan.packetLimit,
    byteLimit: plan.byteLimit,
    ...mempoolSize({ ...plan, lanes: lanes.length, usableBytes }),
    sink,
    cpus: placement.cpus,
    purpose: plan.purpose,
  };
}
