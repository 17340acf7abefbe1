/** Finds captures of dpcap that died without a clean-up, by the names that they left among a primary's memzones. */
import { runsAnywhere } from '../system/process-life.js';

/** One dead capture. */
export interface StaleCapture {
  pid: number;
  /** What it left, as text for the user. */
  description: string;
}

/**
 * The name of an owner record (native/pdump/owner_record.cc) holds the owner's pid, the low 32 bits of its start time
 * in clock ticks, and the number of the capture in that process unless that is 0.
 */
const OWNER_ZONE = /^dpcap_(\d+)_([0-9a-f]{1,8})(?:\.\d+)?$/;

/**
 * Finds the dead captures among `memzones`, as far as this can be told from here: a name does not say which PID
 * namespace its pid is from. What is done about these captures depends on the record itself.
 */
export function staleCaptures(memzones: readonly string[], procDir = '/proc'): StaleCapture[] {
  return memzones.flatMap((name) => {
    const [, pidText, ticks] = OWNER_ZONE.exec(name) ?? [];
    if (pidText === undefined || ticks === undefined) return [];
    const pid = Number(pidText);
    if (runsAnywhere(pid, Number.parseInt(ticks, 16), procDir)) return [];
    return [{ pid, description: `${memzones.filter((zone) => zone.includes(name)).length} objects in shared memory` }];
  });
}
