/**
 * Builds the native unit tests under the thread sanitizer, and runs those of the agent and of what takes its records out:
 * two processes share that memory. `npm run test:threads` runs all of them.
 */
import { execFileSync } from 'node:child_process';
import t from 'tap';
import { projectFile } from '../src/system/location.js';
import { runNativeTests } from './helpers/native-tests.js';

t.test('native unit tests of the agent, with the thread sanitizer', async (t) => {
  const built = execFileSync('scripts/threads-test.sh', ['--build'], {
    cwd: projectFile(''),
    encoding: 'utf8',
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  runNativeTests(t, built.trim(), ['agent']);
});
