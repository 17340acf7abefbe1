/** What of the kernel's probes can be seen in a process: the instruction at the beginning of each probed function. */
import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { gatherProbeFacts, probeObstacle } from '../../src/ebpf/obstacle.js';
import { findTable, lineByLibraries } from '../../src/ebpf/table.js';
import { readMemory } from '../../src/system/process-memory.js';
import { built } from './built.js';
import { run } from './processes.js';

/** int3, and arm64's brk with the number that uprobes have. */
const BREAKPOINT = process.arch === 'x64' ? Buffer.from([0xcc]) : Buffer.from([0xa0, 0x00, 0x20, 0xd4]);
const SETTLE_MS = 10_000;

let lister: string | undefined;

/** Why captures by probes cannot be tried here, or false. */
export function lacksProbes(): string | false {
  return probeObstacle(gatherProbeFacts())?.message ?? false;
}

/** How many of the functions by which a process receives and sends at its first two ports are probed at this moment. */
export function countProbes(pid: number): number {
  const dir = `/proc/${pid}`;
  const line = lineByLibraries(readFileSync(`${dir}/maps`, 'latin1'));
  const table = line && findTable(pid, line);
  if (!table || 'reason' in table) throw new Error(`no table in ${pid}`);
  const { address, layout } = table;
  const functions = [0, 1].flatMap((port) =>
    [layout.rxFunction, layout.txFunction].map((at) =>
      readMemory(dir, BigInt(address + port * layout.rowBytes + at), 8).readBigUInt64LE(),
    ),
  );
  return [...new Set(functions)].filter((at) => readMemory(dir, at, BREAKPOINT.length).equals(BREAKPOINT)).length;
}

/** dpcap's programs in the kernel, and the links that hold them there (test/native/programs/bpf-objects.c). */
export function bpfObjects(): string[] {
  lister ??= built('bpf-objects');
  return run(lister, [])
    .split('\n')
    .filter((line) => line !== '');
}

/**
 * What there is of probes in a process, and of dpcap's in the kernel, as text: as soon as nothing is, or after a while. The
 * kernel gives up a killed engine's things a little after its death.
 */
export async function probesOf(pid: number): Promise<string> {
  for (const deadline = Date.now() + SETTLE_MS; ; await delay(10)) {
    const objects = bpfObjects();
    const count = countProbes(pid);
    if ((count === 0 && objects.length === 0) || Date.now() > deadline)
      return `${count} probes; ${objects.join(', ') || 'no programs'}`;
  }
}

/** Waits until no function is probed any more: the kernel takes probes out soon after their owner has died. */
export async function probesGone(pid: number): Promise<boolean> {
  for (const deadline = Date.now() + SETTLE_MS; countProbes(pid) > 0; await delay(10)) {
    if (Date.now() > deadline) return false;
  }
  return true;
}
