/** The DPDK of Debian sid. */
import { testRelease } from '../harness/release.js';

testRelease('sid');
