/** Makes the frozen plan for reading a file: that of a capture, but for what is about an application. */
import type { FilterProgram } from '../../filter/compile.js';
import { planMempool } from '../../protocol/mempool-size.js';
import type { EnginePlan } from '../../protocol/plan.js';
import type { CaptureRequest } from '../../protocol/request.js';
import { filterParts, outputParts } from '../create-plan.js';

/** What is read. */
export interface ReadRequest {
  /** The file's name, for people. */
  name: string;
  /** Of the packets that match, so many are left out first. */
  skip: number;
}

/** The addon without DPDK reads files. */
const NO_DPDK: EnginePlan['dpdk'] = { number: 0, text: '', libraries: [] };

/** The plan. A limit in packets is the reader's own, so that it reads no further than that. */
export function createReadPlan(
  request: CaptureRequest,
  { name, skip }: ReadRequest,
  filter: FilterProgram | undefined,
  output: EnginePlan['output'],
  purpose: string,
): EnginePlan {
  return Object.freeze({
    filePrefix: '',
    runtimeDir: '',
    dpdk: NO_DPDK,
    input: { name, skip, limit: request.packetLimit },
    primaryMemory: { isFixed: false },
    primaryName: name,
    ports: ['any'],
    directions: ['rx'] as 'rx'[],
    ...filterParts(filter),
    output,
    ...outputParts(request, [], output),
    packetLimit: 0,
    mempool: planMempool(request, undefined),
    threads: 1,
    cpus: [],
    statsIntervalMs: request.statsIntervalMs,
    purpose,
  });
}
