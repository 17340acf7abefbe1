/** How long threads were ready to run and had no CPU: on a busy machine, no fault of whoever they wait for. */
import { readdirSync, readFileSync } from 'node:fs';

/** Milliseconds by thread, since each began. */
export type RunDelays = ReadonlyMap<string, number>;

/** Of those threads of some processes whose id is the process's, or whose name matches. What has ended has none. */
export function runDelays(pids: readonly number[], names: RegExp): RunDelays {
  const delays = new Map<string, number>();
  for (const pid of pids) {
    for (const id of unlessEnded(() => readdirSync(`/proc/${pid}/task`)) ?? []) {
      const task = `/proc/${pid}/task/${id}`;
      const name = unlessEnded(() => readFileSync(`${task}/comm`, 'latin1')) ?? '';
      const ns = unlessEnded(() => readFileSync(`${task}/schedstat`, 'latin1'))?.split(' ')[1];
      if (ns !== undefined && (id === String(pid) || names.test(name))) delays.set(id, Number(ns) / 1e6);
    }
  }
  return delays;
}

/** Their sum since `before`, of the threads that were there then. */
export function delaySince(before: RunDelays, now: RunDelays): number {
  return [...before].reduce((sum, [id, ms]) => sum + Math.max((now.get(id) ?? ms) - ms, 0), 0);
}

function unlessEnded<T>(read: () => T): T | undefined {
  try {
    return read();
  } catch {
    return undefined;
  }
}
