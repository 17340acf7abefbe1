/** Flight recorders in test primaries, and the boxes that they leave. */
import { rmdirSync, rmSync } from 'node:fs';
import { dirname } from 'node:path';
import type { Test } from 'tap';
import { runDpcap } from './processes.js';

/** A box as `dpcap recorder status --json` tells of it. */
export interface ToldBox {
  path: string;
  recording: boolean;
  pid: number;
  packets: number;
  snaplen: number;
  filter: string;
  last_ns: string;
  lanes: { device: string; direction: string; accepted: number; ringfull: number }[];
}

/** The boxes of a file prefix. */
export async function boxesOf(prefix: string): Promise<ToldBox[]> {
  const { stdout } = await runDpcap(['recorder', 'status', '--file-prefix', prefix, '--json']);
  return (JSON.parse(stdout) as { boxes: ToldBox[] }).boxes;
}

/** Removes, when the test ends, what its recorders have left. To be called before the primary is started. */
export function removeBoxesAfter(t: Test, prefix: string): void {
  t.teardown(async () => {
    for (const { path } of await boxesOf(prefix)) removeBox(path);
  });
}

/** Removes a box without asking, and its folder when it is the last one. */
function removeBox(path: string): void {
  rmSync(path, { force: true });
  try {
    rmdirSync(dirname(path));
  } catch {
    // ENOTEMPTY: boxes of others are there.
  }
}

/** The environment that starts a recorder with an application. */
export async function recorderEnvironment(words: readonly string[]): Promise<NodeJS.ProcessEnv> {
  const { stdout } = await runDpcap(['recorder', 'env', ...words]);
  const [, value] = /^DPCAP_RECORDER='(.*)'\n$/.exec(stdout) ?? [];
  if (value === undefined) throw new Error(`dpcap recorder env printed ${stdout}`);
  return { DPCAP_RECORDER: value };
}
