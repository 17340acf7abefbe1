/** Runs an executable of native unit tests, each of whose results becomes one here. */
import { spawnSync } from 'node:child_process';
import type { Test } from 'tap';

/** @param names beginnings of the names of those to run; default: all */
export function runNativeTests(t: Test, executable: string, names: readonly string[] = []): void {
  const run = spawnSync(executable, names, { encoding: 'utf8', maxBuffer: 2 ** 26 });
  for (const line of run.stdout.split('\n')) {
    const [, not, name] = /^(not )?ok \d+ - (.*)$/.exec(line) ?? [];
    if (name) t.equal(not, undefined, name);
  }
  t.equal(run.status, 0, run.stderr || 'exit code');
}
