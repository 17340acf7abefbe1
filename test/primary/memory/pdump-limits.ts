import t from 'tap';
import { otherLimits } from '../../../src/primary/memory/pdump-limits.js';

const LIMITS = { ports: 32, queues: 1024, counterBytes: 64 };
const USUAL = 2 * 32 * 1024 * 64;

for (const bytes of [undefined, 0, USUAL, USUAL + 64, USUAL + 128]) {
  t.equal(otherLimits(bytes, LIMITS), undefined, `${bytes} bytes`);
}
for (const [bytes, queues] of [
  [2 * USUAL + 64, 65536],
  [USUAL / 4 + 64, 8192],
] as const) {
  t.match(otherLimits(bytes, LIMITS), `counters for ${queues} queues, and that of dpcap for 32768 (32 ports of 1024)`);
}
