/** The essential live tests with the DPDK of another Debian suite (scripts/release-test.sh). */
import { spawnSync } from 'node:child_process';
import t, { type Test } from 'tap';
import { projectFile } from '../../src/system/location.js';
import { requirements } from './requirements.js';

/** It may have to make a chroot first, which takes one minute or five. */
const LIMIT_MS = 700_000;
/** The exit code that says that the suite cannot be had here. */
const SKIPPED = 77;
/** Where this test runs in such a chroot itself. */
export const isInChroot = process.env.DPCAP_TEST_PROGRAMS !== undefined;

export function testRelease(suite: 'trixie' | 'sid'): void {
  const skip = requirements({ hugepagesMb: 512 }) || (isInChroot && 'it is the other release that is tested');
  t.test(`Debian ${suite}`, { skip }, async (t: Test) => {
    const words = [suite, '--essential'];
    const { status, signal, stdout, stderr } = spawnSync(projectFile('scripts/release-test.sh'), words, {
      encoding: 'utf8',
      timeout: LIMIT_MS,
    });
    if (status === SKIPPED) {
      t.pass(`Debian ${suite}`, { skip: stderr.trim().replace(/^.*\n/s, '') });
      return;
    }
    const result = /(\d+) passed, (\d+) failed, (\d+) skipped\s*$/.exec(stdout);
    t.match({ status, signal }, { status: 0, signal: null }, `${stdout.slice(-4000)}\n${stderr.slice(-2000)}`);
    t.ok(Number(result?.[1]) > 250, 'and they were many');
    t.comment(stdout);
  });
}
