/**
 * Reads the table by which a process calls its drivers, `rte_eth_fp_ops`, without joining it: which ports it polls, and how
 * many queues each has.
 */
import { join } from 'node:path';
import { type FastPathLayout, fastPathLayout, RELEASE_LINES, type ReleaseLine } from '../native/releases.js';
import { definingFiles, type VariableAt, variablesIn, whyUnseen } from '../primary/memory/process-variable.js';
import { readMemory } from '../system/process-memory.js';

const SYMBOL = 'rte_eth_fp_ops';
/** RTE_MAX_QUEUES_PER_PORT: an array of queues has so many entries (lib/ethdev/rte_ethdev.c, since 21.11). */
const MOST_QUEUES = 1024;
const POINTER_BYTES = 8;
/** RTE_MAX_ETHPORTS of any build. */
const MOST_ROWS = 1024;

/** The table of a process. */
export interface FastPathTable {
  address: number;
  rows: number;
  layout: FastPathLayout;
}

/** The table, or why it is not known. */
export type TableReading = FastPathTable | { reason: string };

/** A port that a process can poll at this moment: one that is not stopped. */
export interface PolledPort {
  id: number;
  rxQueues: number;
  txQueues: number;
}

/** Finds the table of process `pid`. It needs the right to trace the process (root), and never throws. */
export function findTable(pid: number, line: ReleaseLine, procDir = '/proc'): TableReading {
  const dir = join(procDir, String(pid));
  const layout = fastPathLayout(line);
  try {
    for (const file of definingFiles(dir, 'librte_ethdev.so')) {
      const table = tableOf(variablesIn(file, dir, SYMBOL), layout);
      if (table) return table;
    }
  } catch (error) {
    return { reason: whyUnseen(error, `process ${pid}`) };
  }
  return {
    reason: `no file of process ${pid} defines ${SYMBOL}: it is no application of DPDK with ports, or is linked statically and stripped`,
  };
}

function tableOf(places: readonly VariableAt[], layout: FastPathLayout): FastPathTable | undefined {
  for (const { address, size } of places) {
    const rows = Number(size) / layout.rowBytes;
    if (Number.isInteger(rows) && rows > 1 && rows <= MOST_ROWS) return { address: Number(address), rows, layout };
  }
  return undefined;
}

/**
 * The ports that a process can poll now. Those that are stopped, or are not there, have functions that do nothing, as the
 * last row has: nobody has as many ports as a build provides for.
 * @throws Error when its memory cannot be read
 */
export function polledPorts(pid: number, { address, rows, layout }: FastPathTable, procDir = '/proc'): PolledPort[] {
  const dir = join(procDir, String(pid));
  const bytes = readMemory(dir, BigInt(address), rows * layout.rowBytes);
  const word = (row: number, at: number): bigint => bytes.readBigUInt64LE(row * layout.rowBytes + at);
  if (bytes.length < rows * layout.rowBytes) return [];
  const idle = word(rows - 1, layout.rxFunction);
  const queues = (row: number, at: number): number => countQueues(dir, word(row, at));
  return Array.from({ length: rows - 1 }, (_, id) => id)
    .filter((id) => word(id, layout.rxFunction) !== idle)
    .map((id) => ({ id, rxQueues: queues(id, layout.rxQueues), txQueues: queues(id, layout.txQueues) }));
}

function countQueues(dir: string, array: bigint): number {
  if (array === 0n) return 0;
  const pointers = readMemory(dir, array, MOST_QUEUES * POINTER_BYTES);
  let count = 0;
  while ((count + 1) * POINTER_BYTES <= pointers.length && pointers.readBigUInt64LE(count * POINTER_BYTES) !== 0n)
    count++;
  return count;
}

const LIBRARY = /\/librte_eal\.so\.(\d+)/;

/** The line of releases of a process that does not tell its release, by the number in the names of its libraries. */
export function lineByLibraries(maps: string): ReleaseLine | undefined {
  const abi = Number(LIBRARY.exec(maps)?.[1]);
  return RELEASE_LINES.find((line) => line.abi === abi);
}
