/**
 * Finds where a process keeps the names of its devices, `rte_eth_devices`, without joining it: by them a port whose number
 * another device has taken is told from the one that was there.
 */
import { definingFiles, type VariableAt, variablesIn } from '../primary/memory/process-variable.js';
import { attempt } from '../system/process.js';
import { readMemory } from '../system/process-memory.js';

const SYMBOL = 'rte_eth_devices';
/** RTE_ETH_NAME_MAX_LEN. */
const NAME_BYTES = 64;
const NAME = /^[!-~]{2,63}\0/;
const POINTER_BYTES = 8;
/** The pointer that is looked for is one of the first in a row. */
const MOST_BEFORE = 128;

/** Where a row has the pointer to the data of its device, which begin with its name. */
export interface DeviceTable {
  address: number;
  rowBytes: number;
  data: number;
}

/**
 * Finds the table, which has `rows` rows. What stands before the pointer differs from release to release, so it is known by
 * what it points to. Undefined where no port has a device yet, or the process cannot be looked into.
 */
export function findDevices(pid: number, rows: number, procDir = '/proc'): DeviceTable | undefined {
  const dir = `${procDir}/${pid}`;
  const places = attempt(() =>
    definingFiles(dir, 'librte_ethdev.so').flatMap((file) => attempt(() => variablesIn(file, dir, SYMBOL)) ?? []),
  );
  for (const place of places ?? []) {
    const table = attempt(() => devicesAt(dir, place, rows));
    if (table) return table;
  }
  return undefined;
}

function devicesAt(dir: string, { address, size }: VariableAt, rows: number): DeviceTable | undefined {
  const rowBytes = Number(size) / rows;
  if (!Number.isInteger(rowBytes) || rowBytes < POINTER_BYTES) return undefined;
  const bytes = readMemory(dir, address, Number(size));
  for (let row = 0; (row + 1) * rowBytes <= bytes.length; row++) {
    for (let at = 0; at + POINTER_BYTES <= Math.min(rowBytes, MOST_BEFORE); at += POINTER_BYTES) {
      const pointer = bytes.readBigUInt64LE(row * rowBytes + at);
      if (pointer !== 0n && isName(dir, pointer)) return { address: Number(address), rowBytes, data: at };
    }
  }
  return undefined;
}

function isName(dir: string, at: bigint): boolean {
  const bytes = attempt(() => readMemory(dir, at, NAME_BYTES));
  return bytes !== undefined && NAME.test(bytes.toString('latin1'));
}
