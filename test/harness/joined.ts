/** How far an engine has come, watched from outside. */
import { setTimeout as delay } from 'node:timers/promises';
import type { Joinable } from './capture.js';
import { DPDK_RUNTIME_DIR, listDirectory } from './owned.js';
import type { Testpmd } from './testpmd.js';

const TIMEOUT_MS = 10_000;

/** Resolves with its pid when a process of ours has joined the primary, which `others` had joined before. */
export async function joined(primary: Joinable, others: readonly number[] = []): Promise<number> {
  const newcomer = (): number | undefined => secondariesOf(primary).find((pid) => !others.includes(pid));
  return until(newcomer, 'nobody joined the primary');
}

/** Resolves with its name when the primary has an owner record of dpcap. */
export function recordReserved(testpmd: Testpmd): Promise<string> {
  const record = async (): Promise<string | undefined> =>
    (await testpmd.snapshot()).memzones.find((zone) => /^dpcap_\d+_[0-9a-f]+$/.test(zone));
  return until(record, 'there is no owner record');
}

/** Pids of the secondaries that have joined a primary, dead ones as well, by their sockets. */
export function secondariesOf({ prefix }: Joinable): number[] {
  return listDirectory(`${DPDK_RUNTIME_DIR}/${prefix}`).flatMap((name) => {
    const pid = /^mp_socket_(\d+)_/.exec(name)?.[1];
    return pid === undefined ? [] : [Number(pid)];
  });
}

export async function until<T>(look: () => T | undefined | Promise<T | undefined>, complaint: string): Promise<T> {
  for (const deadline = performance.now() + TIMEOUT_MS; performance.now() < deadline; await delay(5)) {
    const seen = await look();
    if (seen !== undefined) return seen;
  }
  throw new Error(`${complaint} within ${TIMEOUT_MS} ms`);
}
