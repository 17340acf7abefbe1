/** Programs of ours that only live tests need: built when the first test wants them. */
import { projectFile } from '../../src/system/location.js';
import { run } from './processes.js';

const PROJECT = projectFile('');
const BUILD_TIMEOUT_MS = 120_000;

/** Builds a target of CMakeLists.txt unless it is up to date. Returns the path of its executable. */
export function built(target: string, executable = target): string {
  run('cmake', ['--build', `${PROJECT}build`, '--target', target], { timeoutMs: BUILD_TIMEOUT_MS });
  return `${PROJECT}build/${executable}`;
}
