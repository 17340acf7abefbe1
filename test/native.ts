/** Builds and runs the native unit tests (test/native/*.cc), under the address and undefined behaviour sanitizers. */
import { execFileSync } from 'node:child_process';
import t from 'tap';
import { projectFile } from '../src/system/location.js';
import { runNativeTests } from './helpers/native-tests.js';

t.test('native unit tests', async (t) => {
  const words = ['--build', 'build', '--target', 'native_tests'];
  execFileSync('cmake', words, { cwd: projectFile(''), stdio: ['ignore', 'ignore', 'inherit'] });
  runNativeTests(t, projectFile('build/native_tests'));
});
