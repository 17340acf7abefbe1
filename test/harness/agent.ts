/** Primaries that have dpcap's agent in them. */
import { readdirSync, readFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { agentLibrary } from '../../src/agent/library.js';
import { installedDpdk } from '../helpers/native.js';
import { atExit } from './at-exit.js';
import { built } from './built.js';
import { removeEalFiles, uniqueName } from './owned.js';
import { type Exit, type Running, start } from './processes.js';
import { startTestpmd, type Testpmd, type TestpmdOptions } from './testpmd.js';

const QUIT_TIMEOUT_MS = 10_000;

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
  const deadline = Date.now() + QUIT_TIMEOUT_MS;
  for (;;) {
    const now = belongings(pid);
    if (JSON.stringify(now) === JSON.stringify(had) || Date.now() > deadline) return now;
    await delay(10);
  }
}

/** Starts a testpmd with the agent. */
export function startWithAgent(loading: Loading, options: TestpmdOptions): Promise<Testpmd> {
  const path = agentLibrary(installedDpdk());
  if (loading === 'LD_PRELOAD') return startTestpmd({ ...options, env: { ...options.env, LD_PRELOAD: path } });
  // EAL refuses a file below a directory that everybody may write to, such as /tmp, but not one that the loader finds.
  const env = { ...options.env, LD_LIBRARY_PATH: dirname(path) };
  const name = path.slice(dirname(path).length + 1);
  return startTestpmd({ ...options, env, eal: ['-d', name, ...(options.eal ?? [])] });
}

/** A forwarder of ours that knows nothing of pdump (test/native/primaries/forwarder.c), with the agent preloaded. */
export async function startForwarderWithAgent(
  program: 'dpdk-forwarder' | 'dpdk-static-forwarder',
  vdevs: readonly string[],
): Promise<{ prefix: string; process: Running; stop(): Promise<Exit> }> {
  const prefix = uniqueName();
  const forget = atExit(() => removeEalFiles(prefix));
  const eal = ['-l', '0', '--no-pci', '--file-prefix', prefix, '-m', '64', ...vdevs.flatMap((one) => ['--vdev', one])];
  const running = start(built(program), eal, { env: { LD_PRELOAD: agentLibrary(installedDpdk()) } });
  const stop = async (): Promise<Exit> => {
    running.closeStdin();
    const late = setTimeout(() => running.signal('SIGKILL'), QUIT_TIMEOUT_MS);
    const exit = await running.exited;
    clearTimeout(late);
    removeEalFiles(prefix);
    forget();
    return exit;
  };
  try {
    await running.expect(/^ready$/m);
  } catch (error) {
    running.signal('SIGKILL');
    await stop();
    throw error;
  }
  return { prefix, process: running, stop };
}
