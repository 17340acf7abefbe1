/** Builds and runs the native unit tests (test/native/*.cc), under the address and undefined behaviour sanitizers. */
import { execFileSync, spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import t from 'tap';

const ROOT = fileURLToPath(new URL('../..', import.meta.url));

t.test('native unit tests', async (t) => {
  execFileSync('cmake', ['--build', 'build', '--target', 'native_tests'], {
    cwd: ROOT,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  const run = spawnSync(`${ROOT}build/native_tests`, { encoding: 'utf8' });
  for (const line of run.stdout.split('\n')) {
    const [, not, name] = /^(not )?ok \d+ - (.*)$/.exec(line) ?? [];
    if (name) t.equal(not, undefined, name);
  }
  t.equal(run.status, 0, run.stderr || 'exit code');
});
