/** Primaries that have the agent and a stand-in for vhost-net, which kernels of virtual machines seldom have. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Test } from 'tap';
import { installedAgent } from '../helpers/native.js';
import { agentServes } from './agent-socket.js';
import { built } from './built.js';
import { startTestpmd, type Testpmd, type TestpmdOptions } from './testpmd.js';

/** A testpmd, and what was asked for in place of a virtio-user device. */
export interface VirtioPrimary {
  testpmd: Testpmd;
  asked: () => string[];
}

export async function startVirtioPrimary(
  t: Test,
  options: TestpmdOptions,
  folder: string = t.testdir(),
): Promise<VirtioPrimary> {
  const file = join(folder, 'asked');
  const LD_PRELOAD = [installedAgent(), built('vhost-stand-in', 'vhost-stand-in.so')].join(':');
  const testpmd = await startTestpmd({ ...options, env: { LD_PRELOAD, DPCAP_TEST_VHOST: file } });
  t.teardown(() => testpmd.stop());
  await agentServes(testpmd.prefix, testpmd.pid);
  return { testpmd, asked: () => (existsSync(file) ? readFileSync(file, 'utf8').trimEnd().split('\n') : []) };
}
