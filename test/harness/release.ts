/** The essential live tests with the DPDK of another Debian suite (scripts/release-test.sh). */
import { requirements } from './requirements.js';
import { testSuite } from './suite.js';

/** It may have to make a chroot first, which takes one minute or five. */
const LIMIT_MS = 700_000;
const AT_LEAST = 250;
/** Where this test runs in such a chroot itself. */
export const isInChroot = process.env.DPCAP_TEST_PROGRAMS !== undefined;

export function testRelease(suite: 'trixie' | 'sid'): void {
  testSuite(`Debian ${suite}`, {
    script: 'release-test.sh',
    words: [suite, '--essential'],
    limitMs: LIMIT_MS,
    atLeast: AT_LEAST,
    skip: requirements({ hugepagesMb: 512 }) || (isInChroot && 'it is the other release that is tested'),
  });
}
