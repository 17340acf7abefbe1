/** Makes the frozen plan from checked options, a filter and a primary: all that can be decided before it is joined. */

import { availableParallelism, hostname } from 'node:os';
import { isDpvs } from '../dpvs/identify.js';
import { UsageError } from '../errors.js';
import type { FilterProgram } from '../filter/compile.js';
import type { PickedPrimary } from '../primary/pick.js';
import type { PortInfo } from '../primary/telemetry.js';
import { planMempool } from '../protocol/mempool-size.js';
import { type EnginePlan, mayGiveUpRoot } from '../protocol/plan.js';
import type { CaptureRequest } from '../protocol/request.js';
import { planCompression } from '../sinks/compression.js';
import type { FileOwner } from '../sinks/file-owner.js';
import { sinkOf } from '../sinks/registry.js';
import { besidePrimary, mostThreads } from './cpus.js';

/** Memory of an agent's copies, when -B does not say how much: 5 ms at 13 GB/s. */
const DEFAULT_AGENT_BYTES = 64 * 1024 * 1024;
const MOST_AGENT_BYTES = 16 * 1024 ** 3;

/** The same of the ring that the kernel copies into: 5 ms at 3 GB/s. */
const DEFAULT_RING_BYTES = 16 * 1024 * 1024;
const MOST_RING_BYTES = 1024 * 1024 * 1024;

/** What is captured of a port. */
export interface PortChoice {
  snaplen: number;
  filter: FilterProgram | undefined;
}

/**
 * Makes the plan of one capture.
 * @param purpose the command line, for people who find what a dead capture left
 * @param rules of each of the ports that are asked for, where they differ
 */
export function createPlan(
  options: CaptureRequest,
  filter: FilterProgram | undefined,
  { primary, name, dpdk, ports, maxFrame, memory, agent, ebpf, notes }: PickedPrimary,
  output: EnginePlan['output'],
  purpose: string,
  rules?: readonly PortChoice[],
): EnginePlan {
  // Each queue of an interface has a thread of its own.
  const queues = 'queues' in output ? output.queues : undefined;
  const placement = besidePrimary(primary.pid, { threads: queues ?? options.threads });
  const probes = { memory: ringBytes(options.bufferBytes), budget: options.probeBudget, ...kernelPart(filter) };
  return Object.freeze({
    filePrefix: primary.filePrefix,
    runtimeDir: primary.runtimeDir,
    ...(primary.pid === undefined ? {} : { primaryPid: primary.pid }),
    ...(primary.process?.startTicks === undefined ? {} : { primaryStartTicks: primary.process.startTicks }),
    dpdk,
    ...(agent ? { agent: { ...agent, memory: agentMemory(options.bufferBytes) } } : {}),
    ...(ebpf ? { ebpf: { ...ebpf, ...probes } } : {}),
    primaryMemory: memory,
    ...(isDpvs(primary) ? { isDpvs: true } : {}),
    ...(options.trustMempools ? { trustMempools: true } : {}),
    primaryName: name,
    ports: options.ports,
    directions: options.directions,
    ...(options.queues === undefined ? {} : { queues: options.queues }),
    ...filterParts(filter, notes),
    ...(rules ? { portRules: rules.map((one) => ({ ...filterParts(one.filter), snaplen: one.snaplen })) } : {}),
    output,
    ...outputParts(options, placement.cpus, output),
    packetLimit: options.packetLimit,
    ...(ports ? { portDetails: portDetails(ports) } : {}),
    mempool: planMempool(options, maxFrame),
    threads: agent || ebpf ? 1 : (queues ?? mostThreads(placement, options)),
    cpus: placement.cpus,
    statsIntervalMs: options.statsIntervalMs,
    purpose,
  });
}

/** "net_null, 02:00:00:00:00:01, on host a": what tells one port from another when the file is read elsewhere. */
function portDetails(ports: readonly PortInfo[]): Record<string, string> {
  const where = `on host ${hostname()}`;
  return Object.fromEntries(
    ports.map(({ id, driver, mac }) => [
      String(id),
      [driver, mac, where].filter((word) => word !== undefined).join(', '),
    ]),
  );
}

/**
 * The parts of a plan that are about what is written, and until when; `cpus` are those of its threads, empty for any.
 * @throws UsageError when a disk is to be looked after, and the output is on none
 */
export function outputParts(options: CaptureRequest, cpus: readonly number[], output: EnginePlan['output']) {
  refuseDiskOf(output, options);
  const { compression, comments, durationMs, rotation, minFree } = options;
  const threads = cpus.length || availableParallelism();
  return {
    format: options.format,
    ...(compression ? { compression: planCompression(compression, threads) } : {}),
    nanoseconds: options.nanoseconds,
    mode: options.mode,
    snaplen: options.snaplen,
    byteLimit: options.byteLimit,
    ...(comments.length > 0 ? { comments } : {}),
    ...(options.packetBuffered ? { packetBuffered: true } : {}),
    ...(durationMs === undefined ? {} : { durationMs }),
    ...(rotation === undefined ? {} : { rotation }),
    ...(minFree === undefined ? {} : { minFree }),
  } satisfies Partial<EnginePlan>;
}

/** A name may turn out to be that of a descriptor, a pipe or a device: /dev/stdout, a FIFO. */
function refuseDiskOf(output: EnginePlan['output'], { minFree }: CaptureRequest): void {
  if (minFree === undefined || output.kind === 'file') return;
  const name = sinkOf(output).nameOf(output);
  throw new UsageError(`--min-free is about the disk of a file, and ${name} is none that dpcap opens`, {
    subject: name,
    hint: 'write to the name of a file, or leave --min-free out',
  });
}

/** The plan with the user whom its engine becomes: the one of -Z, where root is needed no more once it has begun. */
export function givingUpRoot(plan: EnginePlan, owner: FileOwner | undefined): EnginePlan {
  if (owner?.user === undefined || !mayGiveUpRoot(plan)) return plan;
  const { user, uid, gid } = owner;
  return Object.freeze({ ...plan, becomes: { user, uid, gid } });
}

/** The parts of a plan that are about its filter. @param others notes about something else, which come first */
export function filterParts(
  filter: FilterProgram | undefined,
  others: readonly string[] = [],
): Pick<EnginePlan, 'expression' | 'reading' | 'notes' | 'program' | 'programTx'> {
  const notes = [...others, ...(filter?.notes ?? [])];
  return {
    expression: filter?.expression ?? '',
    ...(filter?.reading ? { reading: filter.reading } : {}),
    ...(notes.length > 0 ? { notes } : {}),
    program: filter ? base64(filter.extended) : '',
    ...(filter && filter.extendedTx !== filter.extended ? { programTx: base64(filter.extendedTx) } : {}),
  };
}

function kernelPart(filter: FilterProgram | undefined): Pick<NonNullable<EnginePlan['ebpf']>, 'filter'> {
  const kernel = filter?.kernel;
  return kernel ? { filter: { program: base64(kernel.rx), programTx: base64(kernel.tx) } } : {};
}

/** The memory of an agent's copies. @throws UsageError when it is more than an agent makes */
export function agentMemory(wanted = DEFAULT_AGENT_BYTES): number {
  if (wanted <= MOST_AGENT_BYTES) return wanted;
  throw new UsageError(`-B: ${wanted / 1024} KiB is more than an agent makes for a capture`, {
    hint: `give up to ${MOST_AGENT_BYTES / 1024}`,
  });
}

/** A ring of the kernel's is a power of two. */
function ringBytes(wanted = DEFAULT_RING_BYTES): number {
  return 2 ** Math.floor(Math.log2(Math.min(wanted, MOST_RING_BYTES)));
}

const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64');

/** This process's command line, as a person would have typed it. */
export function commandLine(argv: readonly string[] = process.argv.slice(2)): string {
  return ['dpcap', ...argv].join(' ');
}
