/** Primaries that have dpcap's agent in them. */
import { readdirSync, readFileSync } from 'node:fs';
import { basename, dirname, isAbsolute } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { installedAgent } from '../helpers/native.js';
import { agentServes } from './agent-socket.js';
import { built } from './built.js';
import { uniqueName } from './owned.js';
import { type OwnedPrimary, startOwnedPrimary } from './owned-primary.js';
import { startTestpmd, type Testpmd, type TestpmdOptions } from './testpmd.js';

/** The agent ends what a client had within milliseconds, where it gets a CPU. */
const SETTLE_MS = 10_000;

/** How an application gets the agent. */
export type Loading = '-d' | 'LD_PRELOAD';

/** What an application has: its threads, descriptors, and mappings of the agent's. */
export interface Belongings {
  threads: number;
  descriptors: number;
  mappings: number;
}

export function belongings(pid: number): Belongings {
  const [threads = 0, descriptors = 0] = ['task', 'fd'].map((what) => readdirSync(`/proc/${pid}/${what}`).length);
  const maps = readFileSync(`/proc/${pid}/maps`, 'utf8').split('\n');
  return { threads, descriptors, mappings: maps.filter((line) => /memfd:dpcap-/.test(line)).length };
}

/** Waits until it has what it had: the agent hears a little later that a client has gone. Resolves with what it has. */
export async function belongingsLike(had: Belongings, pid: number): Promise<Belongings> {
  const deadline = Date.now() + SETTLE_MS;
  for (;;) {
    const now = belongings(pid);
    if (JSON.stringify(now) === JSON.stringify(had) || Date.now() > deadline) return now;
    await delay(10);
  }
}

/** Starts a testpmd with the agent, and waits until that serves clients. */
export async function startWithAgent(loading: Loading, options: TestpmdOptions): Promise<Testpmd> {
  const testpmd = await startTestpmd(withAgent(loading, options));
  await agentServes(testpmd.prefix, testpmd.pid);
  return testpmd;
}

function withAgent(loading: Loading, options: TestpmdOptions): TestpmdOptions {
  const path = installedAgent();
  if (loading === 'LD_PRELOAD') return { ...options, env: { ...options.env, LD_PRELOAD: path } };
  // EAL refuses a file below a directory that everybody may write to, such as /tmp, but not one that the loader finds.
  const env = { ...options.env, LD_LIBRARY_PATH: dirname(path) };
  return { ...options, env, eal: ['-d', basename(path), ...(options.eal ?? [])] };
}

/** Starts a testpmd that is a secondary of another one, with the agent. End it with `keepFiles`. */
export function startSecondaryWithAgent(primary: Testpmd, options: TestpmdOptions): Promise<Testpmd> {
  const { prefix } = primary;
  const eal = ['--proc-type=secondary', ...(options.eal ?? [])];
  return startWithAgent('LD_PRELOAD', { ...options, prefix, eal });
}

/** A forwarder of ours that knows nothing of pdump (test/native/primaries/forwarder.c), with the agent preloaded or linked. */
export function startForwarderWithAgent(
  program: 'dpdk-forwarder' | 'dpdk-static-forwarder' | 'dpdk-linked-forwarder',
  vdevs: readonly string[],
): Promise<OwnedPrimary> {
  return startForwarderIn(program, vdevs, program === 'dpdk-linked-forwarder' ? {} : { LD_PRELOAD: installedAgent() });
}

/** A forwarder with this environment. @param program a target of CMakeLists.txt, or a path */
export function startForwarderIn(
  program: string,
  vdevs: readonly string[],
  env: NodeJS.ProcessEnv = {},
): Promise<OwnedPrimary> {
  const prefix = uniqueName();
  const eal = ['-l', '0', '--no-pci', '--file-prefix', prefix, '-m', '64', ...vdevs.flatMap((one) => ['--vdev', one])];
  return startOwnedPrimary(prefix, isAbsolute(program) ? program : built(program), eal, env);
}
