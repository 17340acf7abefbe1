/**
 * Reads the primary's numbering of its mempool handlers exactly, from the variable `rte_mempool_ops_table` in its
 * memory. Every process numbers its handlers itself and nothing keeps two processes alike, so a secondary must find it
 * out.
 */
import { join } from 'node:path';
import type { OpsLayout } from '../../native/host-binding.js';
import type { MappedFile } from '../../system/maps.js';
import { readMemory } from '../../system/process-memory.js';
import { definingFiles, variablesIn, whyUnseen } from './process-variable.js';

const SYMBOL = 'rte_mempool_ops_table';
/** Registered by librte_mempool_ring, which every application that can be captured has: mbuf pools need it. */
const ALWAYS_THERE = 'ring_mp_mc';

/** The names in the order of their index, or the reason why they are not known. */
export type OpsReading =
  | { names: string[] /** The file that defines the table. */; source: string }
  | { names: undefined; reason: string };

/** Reads the table of process `pid`. It needs the right to trace the process (root), and never throws. */
export function readOpsTable(pid: number, layout: OpsLayout, procDir = '/proc'): OpsReading {
  const dir = join(procDir, String(pid));
  try {
    const files = definingFiles(dir, 'librte_mempool.so');
    if (files.length === 0) return unknown(`process ${pid} has no executable files mapped`);
    return firstReading(files, dir, layout);
  } catch (error) {
    return unknown(whyUnseen(error, `process ${pid}`));
  }
}

/** Returns the first table that makes sense; otherwise the most telling reason, which is that of the first failure. */
function firstReading(files: MappedFile[], dir: string, layout: OpsLayout): OpsReading {
  const reasons: string[] = [];
  for (const file of files) {
    try {
      const reading = readFromFile(file, dir, layout);
      if (reading?.names) return reading;
      if (reading) reasons.push(reading.reason);
    } catch (error) {
      reasons.push(whyUnseen(error, file.path));
    }
  }
  return unknown(reasons[0] ?? `no file of the process defines ${SYMBOL}; a static executable may have been stripped`);
}

/** Returns undefined when the file does not define the table at all. */
function readFromFile(file: MappedFile, dir: string, layout: OpsLayout): OpsReading | undefined {
  const places = variablesIn(file, dir, SYMBOL);
  if (places.length === 0) return undefined;
  const fitting = places.filter(({ size }) => size === BigInt(layout.tableSize));
  if (fitting.length === 0) {
    return unknown(`${SYMBOL} in ${file.path} is ${places[0]?.size} bytes, here ${layout.tableSize}: another build`);
  }
  const readings = fitting.map(({ address }) => readTableAt(address, file, dir, layout));
  return readings.find((reading) => reading.names) ?? readings[0];
}

function readTableAt(address: bigint, file: MappedFile, dir: string, layout: OpsLayout): OpsReading {
  const decoded = decodeOpsTable(readMemory(dir, address, layout.tableSize), layout);
  return decoded.names ? { names: decoded.names, source: file.path } : unknown(decoded.reason);
}

/** The names in the bytes of a `struct rte_mempool_ops_table`, validated; never throws. */
export function decodeOpsTable(
  bytes: Buffer,
  layout: OpsLayout,
): { names: string[] } | { names: undefined; reason: string } {
  if (bytes.length < layout.tableSize) return unknown(`${SYMBOL} could not be read to its end`);
  const count = bytes.readUInt32LE(layout.numOpsOffset);
  if (count > layout.maxOps) return unknown(`${SYMBOL} claims ${count} handlers, ${layout.maxOps} are possible`);
  const names = Array.from({ length: count }, (_, index) => {
    const at = layout.entriesOffset + index * layout.entrySize;
    const field = bytes.subarray(at, at + layout.nameSize).toString('latin1');
    const end = field.indexOf('\0');
    return end === -1 ? '' : field.slice(0, end);
  });
  if (names.some((name) => !/^[\x21-\x7e]+$/.test(name))) return unknown(`${SYMBOL} holds names that are none`);
  if (new Set(names).size !== names.length) return unknown(`${SYMBOL} holds a name twice`);
  if (!names.includes(ALWAYS_THERE)) return unknown(`${SYMBOL} does not list ${ALWAYS_THERE}`);
  return { names };
}

function unknown(reason: string): { names: undefined; reason: string } {
  return { names: undefined, reason };
}
