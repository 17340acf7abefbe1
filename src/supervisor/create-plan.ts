/** Makes the frozen plan from checked options, a filter and a primary. Pure. */

import { isDpvs } from '../dpvs/identify.js';
import type { FilterProgram } from '../filter/compile.js';
import type { PickedPrimary } from '../primary/pick.js';
import type { EnginePlan } from '../protocol/plan.js';
import type { CaptureRequest } from '../protocol/request.js';

/** Makes the plan of one capture. `purpose` is the command line, for people who find what a dead capture left. */
export function createPlan(
  options: CaptureRequest,
  filter: FilterProgram | undefined,
  { primary, name, maxFrame, memory }: PickedPrimary,
  output: EnginePlan['output'],
  purpose: string,
): EnginePlan {
  return Object.freeze({
    filePrefix: primary.filePrefix,
    runtimeDir: primary.runtimeDir,
    ...(primary.pid === undefined ? {} : { primaryPid: primary.pid }),
    ...(primary.process?.startTicks === undefined ? {} : { primaryStartTicks: primary.process.startTicks }),
    primaryMemory: memory,
    ...(isDpvs(primary) ? { isDpvs: true } : {}),
    ...(options.trustMempools ? { trustMempools: true } : {}),
    primaryName: name,
    ports: options.ports,
    directions: options.directions,
    ...(options.queues === undefined ? {} : { queues: options.queues }),
    expression: filter?.expression ?? '',
    ...(filter?.reading ? { reading: filter.reading } : {}),
    ...(filter && filter.notes.length > 0 ? { notes: filter.notes } : {}),
    program: filter ? base64(filter.extended) : '',
    ...(filter && filter.extendedTx !== filter.extended ? { programTx: base64(filter.extendedTx) } : {}),
    output,
    format: options.format,
    nanoseconds: options.nanoseconds,
    mode: options.mode,
    snaplen: options.snaplen,
    packetLimit: options.packetLimit,
    byteLimit: options.byteLimit,
    ...(options.bufferBytes === undefined ? {} : { bufferBytes: options.bufferBytes }),
    ...(options.threads === undefined ? {} : { threads: options.threads }),
    ...(maxFrame === undefined ? {} : { maxFrame }),
    statsIntervalMs: options.statsIntervalMs,
    purpose,
  });
}

const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64');

/** This process's command line, as a person would have typed it. */
export function commandLine(argv: readonly string[] = process.argv.slice(2)): string {
  return ['dpcap', ...argv].join(' ');
}
