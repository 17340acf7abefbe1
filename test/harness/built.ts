/** Programs of ours that only live tests need: built when the first test wants them. */
import { existsSync } from 'node:fs';
import { projectFile } from '../../src/system/location.js';
import { run } from './processes.js';
import { isInstalled } from './requirements.js';

const PROJECT = projectFile('');
const BUILD_TIMEOUT_MS = 120_000;

/** A folder with executables for another release of DPDK: there is no compiler in its chroot (scripts/build-addon.sh). */
const { DPCAP_TEST_PROGRAMS } = process.env;

/** Why a program, or a library of this name, cannot be had here, or false. */
export function isMissing(name: string): string | false {
  if (!DPCAP_TEST_PROGRAMS) return !isInstalled('cmake') && 'cmake is not installed';
  return !existsSync(`${DPCAP_TEST_PROGRAMS}/${name}`) && `${name} is not built for this release`;
}

/** Builds a target of CMakeLists.txt unless it is up to date. Returns the path of its executable. */
export function built(target: string, executable = target): string {
  if (DPCAP_TEST_PROGRAMS) return `${DPCAP_TEST_PROGRAMS}/${executable}`;
  run('cmake', ['--build', `${PROJECT}build`, '--target', target], { timeoutMs: BUILD_TIMEOUT_MS });
  return `${PROJECT}build/${executable}`;
}
