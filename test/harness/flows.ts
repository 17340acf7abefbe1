/** Mirrors in hardware, on a primary that has the agent and a stand-in for a driver that takes flow rules. */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Test } from 'tap';
import { installedAgent } from '../helpers/native.js';
import { agentServes } from './agent-socket.js';
import { built } from './built.js';
import { type Finished, runDpcap } from './processes.js';
import { startTestpmd, type Testpmd } from './testpmd.js';

/** A mirror in hardware as `dpcap mirror list --json` tells of it. */
export interface SeenFlow {
  id: string;
  isHardware: true;
  state: 'on' | 'ending' | 'ended';
  reason: string | null;
  rules: number;
  counters: { packets: number; bytes: number } | null;
}

/** A testpmd with four ports, and what its driver was asked. */
export interface FlowPrimary {
  testpmd: Testpmd;
  /** What the driver was asked about rules, in order: its function, a blank, and the rest. */
  asked: (...functions: string[]) => string[];
}

/**
 * @param refused a call that the driver refuses, such as `create 2`
 * @param driver the name of the driver that the stand-in is of, where it matters
 */
export async function startFlowPrimary(t: Test, refused?: string, driver?: string): Promise<FlowPrimary> {
  const file = join(t.testdir(), 'flows');
  const env = {
    LD_PRELOAD: [installedAgent(), built('flow-recorder', 'flow-recorder.so')].join(':'),
    DPCAP_TEST_FLOWS: file,
    ...(refused === undefined ? {} : { DPCAP_TEST_FLOWS_REFUSED: refused }),
    ...(driver === undefined ? {} : { DPCAP_TEST_DRIVER: driver }),
  };
  const vdevs = [0, 1, 2, 3].map((port) => `net_null${port}`);
  const testpmd = await startTestpmd({ vdevs, env, args: ['--rxq=2', '--txq=2'], memoryMb: 128 });
  t.teardown(() => testpmd.stop());
  await agentServes(testpmd.prefix, testpmd.pid);
  const lines = (): string[] => (existsSync(file) ? readFileSync(file, 'utf8').trim().split('\n') : []);
  return {
    testpmd,
    asked: (...functions) => lines().filter((line) => functions.includes(line.split(' ')[0] as string)),
  };
}

/** Runs `dpcap mirror set --hardware`. */
export function setFlow(testpmd: Testpmd, words: readonly string[]): Promise<Finished> {
  return runDpcap(['mirror', 'set', '--hardware', '--file-prefix', testpmd.prefix, ...words]);
}
