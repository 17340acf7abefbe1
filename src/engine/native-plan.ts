/** Translates a plan into the addon's terms, with what the engine finds where the plan is carried out. Pure. */
import type { LanePlan, NativePlan, Programs } from '../native/capture-binding.js';
import type { InputPart, Port } from '../native/primary-binding.js';
import { selectPorts } from '../protocol/lanes.js';
import { MAX_SNAPLEN } from '../protocol/limits.js';
import { mempoolSize } from '../protocol/mempool-size.js';
import type { EnginePlan } from '../protocol/plan.js';
import { ruleOf } from '../protocol/port-rules.js';
import { sinkOf } from '../sinks/registry.js';
import { assignThreads } from './thread-assignment.js';

/** What the engine finds where it carries a plan out. */
export interface Surroundings {
  ports: readonly Port[];
  /** Memory that the primary and all processes that share it can still use, bytes. */
  usableBytes: number;
  /** The file that is read; undefined for an application. */
  input?: InputPart | undefined;
}

/** The plan in the addon's terms. */
export function nativePlan(
  plan: EnginePlan,
  lanes: LanePlan[],
  sink: NativePlan['sink'],
  { ports, usableBytes, input }: Surroundings,
): NativePlan {
  const chosen = selectPorts(plan.ports, ports);
  // For an interface with one lane nothing is sorted, and the kernel stamps the packets: plain copies cost the primary
  // less.
  const mode = sinkOf(plan.output).takesFrames && lanes.length === 1 ? 'plain' : plan.mode;
  return {
    ...assignThreads(lanes, sink, plan.threads),
    interfaces: interfacesOf(plan, chosen),
    ...programsOf(plan),
    mode,
    format: plan.format,
    nanoseconds: plan.nanoseconds,
    ...(plan.compression ? { compression: plan.compression } : {}),
    snaplen: plan.snaplen,
    info: {
      application: `dpcap (DPDK ${plan.dpdk.text})`,
      operatingSystem: `${process.platform} ${process.arch}`,
      comments: [...(plan.comments ?? []), commentOn(plan, mode)],
    },
    packetLimit: plan.packetLimit,
    byteLimit: plan.byteLimit,
    // A ring gives up its oldest files instead: see CaptureOutput.
    ...(plan.minFree !== undefined && !plan.rotation?.ring ? { minFree: plan.minFree } : {}),
    ...(plan.rotation ? { rotation: rotationOf(plan.rotation) } : {}),
    packetBuffered: plan.packetBuffered ?? false,
    ...mempoolSize({ ...plan.mempool, lanes: lanes.length, usableBytes }),
    sink,
    cpus: plan.cpus,
    purpose: plan.purpose,
    ...(plan.agent ? { agent: agentPlan(plan.agent) } : {}),
    ...(plan.ebpf ? { ebpf: ebpfPlan(plan.ebpf, plan.expression) } : {}),
    ...(plan.input && input ? readerParts(plan, plan.input, input) : {}),
  };
}

/** What the addon decides by; the rest is about names, and is the engine's. */
function rotationOf(rotation: NonNullable<EnginePlan['rotation']>): NonNullable<NativePlan['rotation']> {
  const { bytes, packets, durationMs, intervalMs, mostFiles } = rotation;
  return { bytes, packets, durationMs, intervalMs, mostFiles };
}

/** "port 0 of dpdk-testpmd, pid 4711, DPDK 22.11.11: net_null, 02:00:00:00:00:01, on host a" */
function describe({ id }: Port, { primaryName, portDetails }: Pick<EnginePlan, 'primaryName' | 'portDetails'>): string {
  const details = portDetails?.[id];
  return `port ${id} of ${primaryName}${details === undefined ? '' : `: ${details}`}`;
}

function interfacesOf(plan: EnginePlan, chosen: readonly Port[]): NativePlan['interfaces'] {
  return chosen.map((port) => {
    const own = ruleOf(plan, port);
    return {
      name: port.name,
      description: describe(port, plan),
      filter: (own ?? plan).expression,
      ...(own ? { snaplen: own.snaplen, ...programsOf(own) } : {}),
    };
  });
}

function programsOf({ program, programTx }: Pick<EnginePlan, 'program' | 'programTx'>): Programs {
  return { program: Buffer.from(program, 'base64'), programTx: Buffer.from(programTx ?? program, 'base64') };
}

/** What is otherwise in the plan of a file that is read: its interfaces and its comment stay. */
function readerParts(
  { expression, snaplen, comments = [] }: EnginePlan,
  { skip, limit }: NonNullable<EnginePlan['input']>,
  { handle, interfaces, comment }: InputPart,
): Pick<NativePlan, 'input' | 'interfaces' | 'snaplen' | 'info'> {
  const kept = interfaces.map((one) => Math.min(snaplen, one.snaplen || MAX_SNAPLEN));
  return {
    input: { handle, skip, limit },
    interfaces: interfaces.map(({ filter, ...rest }, at) => ({
      ...rest,
      snaplen: kept[at] ?? snaplen,
      filter: both(filter, expression),
    })),
    snaplen: Math.max(...kept),
    info: {
      application: 'dpcap',
      operatingSystem: `${process.platform} ${process.arch}`,
      comments: comment === '' ? comments : [comment, ...comments],
      hasStatistics: false,
    },
  };
}

/** The filter of packets that had to match two, one after the other. */
function both(first: string, second: string): string {
  return first !== '' && second !== '' ? `(${first}) and (${second})` : first || second;
}

function agentPlan({ processes, memory }: NonNullable<EnginePlan['agent']>): NonNullable<NativePlan['agent']> {
  return { sockets: processes.map(({ socket }) => socket), memory };
}

function ebpfPlan(
  { processes, layout, memory, filter }: NonNullable<EnginePlan['ebpf']>,
  expression: string,
): NonNullable<NativePlan['ebpf']> {
  return {
    processes: processes.map(({ pid, table, rows, devices }) => ({ pid, table, rows, devices })),
    layout,
    memory,
    filter: {
      program: Buffer.from(filter?.program ?? '', 'base64'),
      programTx: Buffer.from(filter?.programTx ?? '', 'base64'),
      text: expression,
    },
  };
}

/** Which clock stamps the packets, for readers of the file. */
function commentOn(
  { agent, ebpf, snaplen, portRules = [] }: Pick<EnginePlan, 'agent' | 'ebpf' | 'snaplen' | 'portRules'>,
  mode: EnginePlan['mode'],
): string {
  if (ebpf)
    return "timestamps: taken by the kernel when the driver's function was called or returned (CLOCK_MONOTONIC), converted to CLOCK_REALTIME";
  if (agent || mode === 'stamped')
    return 'timestamps: taken by the primary when it handled the packet (TSC), converted to CLOCK_REALTIME';
  const isCut = Math.min(snaplen, ...portRules.map((rule) => rule.snaplen)) < MAX_SNAPLEN;
  const lengths = isCut ? '; lengths: of packets that were cut, what was kept of them' : '';
  return `timestamps: CLOCK_REALTIME when dpcap took the copy from its ring${lengths}`;
}
