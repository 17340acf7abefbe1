/** The processes that have joined a primary, by the sockets they leave in its runtime directory. */
import { readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { type ProcessInfo, readProcess } from './process.js';
import { isCaptureToolName } from './ring-block.js';

/** One secondary that is alive. */
export interface Secondary {
  pid: number;
  program: string | undefined;
  /** Known by its name to capture packets. */
  captures: boolean;
  /** One of dpcap's own engines. */
  ours: boolean;
}

/** The living owners of `mp_socket_<pid>_<tsc>`; a killed secondary leaves its socket behind. */
export function findSecondaries(runtimeDir: string, procDir = '/proc'): Secondary[] {
  const pids = new Set(socketOwners(runtimeDir));
  return [...pids].flatMap((pid) => {
    const process = readProcess(pid, procDir);
    return process ? [describeSecondary(process, procDir)] : [];
  });
}

function socketOwners(runtimeDir: string): number[] {
  return sockets(runtimeDir).map(({ pid }) => pid);
}

function sockets(runtimeDir: string): { name: string; pid: number }[] {
  try {
    return readdirSync(runtimeDir).flatMap((name) => {
      const pid = /^mp_socket_(\d{1,10})_[0-9a-f]+$/.exec(name)?.[1];
      return pid === undefined ? [] : [{ name, pid: Number(pid) }];
    });
  } catch {
    return [];
  }
}

/**
 * Removes the sockets that an engine of ours leaves which ends without EAL's clean-up. The primary removes a dead one when it
 * meets it, but a hot-plug that is under way just then fails with ENOENT and is rolled back (seen on DPDK 22.11.11).
 * @param pid the engine's; it must have ended, or be the caller
 */
export function removeSockets(runtimeDir: string, pid: number): void {
  for (const socket of sockets(runtimeDir)) {
    if (socket.pid === pid) rmSync(join(runtimeDir, socket.name), { force: true });
  }
}

function describeSecondary(process: ProcessInfo, procDir: string): Secondary {
  const ours = hasOurAddon(process.pid, procDir);
  return { pid: process.pid, program: process.program, captures: ours || isTool(process), ours };
}

function isTool(process: ProcessInfo): boolean {
  return /dumpcap|pdump/.test(process.program ?? '');
}

/** An engine of dpcap is a Node process; the addon in its memory tells it from others. */
function hasOurAddon(pid: number, procDir: string): boolean {
  try {
    return readFileSync(join(procDir, String(pid), 'maps'), 'latin1').includes('/dpcap.node');
  } catch {
    return false;
  }
}

/** The memzones of pools and rings that belong to other capture tools, alive or killed. */
export function captureToolZones(memzones: readonly string[]): string[] {
  return memzones.filter((zone) => {
    const name = zone.replace(/^(RG_MP_|MP_|RG_)/, '');
    // The chunks of a pool carry its name and a number.
    return name !== zone && (isCaptureToolName(name) || isCaptureToolName(name.replace(/_\d+$/, '')));
  });
}
