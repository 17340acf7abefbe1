import t from 'tap';
import { memoryLimits, usableMemory } from '../../../src/primary/memory/memory-limits.js';

const MIB = 2 ** 20;
const HEAP = { freeBytes: 40 * MIB, greatestBytes: 30 * MIB, totalBytes: 64 * MIB, pageBytes: 2 * MIB };
const PAGES = [
  { sizeKb: 2048, total: 512, free: 448 },
  { sizeKb: 1048576, total: 4, free: 2 },
];
const FREE = { isFixed: false };

t.test('what EAL was told', async (t) => {
  t.same(memoryLimits(['app', '-l', '0', '-m', '64']), { isFixed: false });
  t.same(memoryLimits(['app', '--legacy-mem']), { isFixed: true });
  t.same(memoryLimits(['app', '--socket-limit', '200']), { isFixed: false, socketLimitBytes: 200 * MIB });
  t.same(memoryLimits(['app', '--socket-limit=0,300']), { isFixed: false, socketLimitBytes: 300 * MIB });
  t.same(memoryLimits(['app', '--numa-limit=100']), { isFixed: false, socketLimitBytes: 100 * MIB });
  t.same(memoryLimits(['app', '--socket-limit']), { isFixed: false });
});

t.test('what can be used, and why it is not more', async (t) => {
  t.match(usableMemory(HEAP, FREE, PAGES, false), { bytes: 936 * MIB, limit: /448 free huge pages/ });
  t.match(usableMemory(HEAP, { isFixed: true }, PAGES, false), { bytes: 40 * MIB, limit: /--legacy-mem/ });
  const limited = { isFixed: false, socketLimitBytes: 200 * MIB };
  t.match(usableMemory(HEAP, limited, PAGES, false), { bytes: 176 * MIB, limit: /--socket-limit/ });
  t.match(usableMemory(HEAP, { ...limited, socketLimitBytes: 50 * MIB }, PAGES, false), { bytes: 40 * MIB });
  t.match(usableMemory(HEAP, FREE, [], false), { bytes: 40 * MIB });
  const large = { ...HEAP, pageBytes: 1024 * MIB };
  t.match(usableMemory(large, FREE, PAGES, false), { bytes: 40 * MIB, limit: /-B/ }, 'no page of 1 GiB unasked');
  t.match(usableMemory(large, FREE, PAGES, true), { bytes: 2088 * MIB });
});
