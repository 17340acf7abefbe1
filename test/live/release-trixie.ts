/** The DPDK of Debian trixie. */
import { testRelease } from '../harness/release.js';

testRelease('trixie');
