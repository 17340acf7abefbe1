/** Captures of ours that died without cleaning up, told by the names they left among a primary's memzones. */
import { runsAnywhere } from '../system/process-life.js';

/** One dead capture. */
export interface StaleCapture {
  pid: number;
  /** What it left, for people. */
  description: string;
}

/** Name of an owner record (native/pdump/owner_record.cc): pid, and the low 32 bits of its start time in clock ticks. */
const OWNER_ZONE = /^dpcap_(\d+)_([0-9a-f]{1,8})$/;

/**
 * The dead captures among `memzones`, as far as can be told from here: a name does not say in which PID namespace. What
 * is done about them goes by the record itself.
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
