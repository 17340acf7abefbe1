/** Primaries that have dpcap's agent in them. */
import { dirname } from 'node:path';
import { agentLibrary } from '../../src/agent/library.js';
import { installedDpdk } from '../helpers/native.js';
import { startTestpmd, type Testpmd, type TestpmdOptions } from './testpmd.js';

/** How an application gets the agent. */
export type Loading = '-d' | 'LD_PRELOAD';

/** Starts a testpmd with the agent. */
export function startWithAgent(loading: Loading, options: TestpmdOptions): Promise<Testpmd> {
  const path = agentLibrary(installedDpdk());
  if (loading === 'LD_PRELOAD') return startTestpmd({ ...options, env: { ...options.env, LD_PRELOAD: path } });
  // EAL refuses a file below a directory that everybody may write to, such as /tmp, but not one that the loader finds.
  const env = { ...options.env, LD_LIBRARY_PATH: dirname(path) };
  const name = path.slice(dirname(path).length + 1);
  return startTestpmd({ ...options, env, eal: ['-d', name, ...(options.eal ?? [])] });
}
