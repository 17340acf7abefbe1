import t from 'tap';
import { gatherView, readMounts } from '../../src/doctor/gather.js';
import { freeHugePages, readHugepages } from '../../src/system/huge-pages.js';

t.test('huge pages and mounts as the kernel shows them', async (t) => {
  const dir = t.testdir({
    kernel: {
      mm: {
        hugepages: {
          'hugepages-2048kB': { nr_hugepages: '512\n', free_hugepages: '100\n' },
          'hugepages-1048576kB': { nr_hugepages: '0\n', free_hugepages: '0\n' },
          other: {},
        },
      },
    },
    mounts:
      'proc /proc proc rw 0 0\nhugetlbfs /nonexistent/huge hugetlbfs rw,pagesize=2M 0 0\nx /tmp hugetlbfs rw 0 0\n',
  });
  t.same(
    readHugepages(dir).sort((a, b) => a.sizeKb - b.sizeKb),
    [
      { sizeKb: 2048, total: 512, free: 100 },
      { sizeKb: 1048576, total: 0, free: 0 },
    ],
  );
  t.same(readMounts(dir), [
    { path: '/nonexistent/huge', writable: false },
    { path: '/tmp', writable: true },
  ]);
  t.equal(freeHugePages(dir), 100 * 2 ** 21);
  t.same([readHugepages('/nonexistent'), readMounts('/nonexistent')], [[], []]);
});

t.test('a view of this machine is always possible', async (t) => {
  const view = gatherView({ root: t.testdir(), filePrefix: 'x' });
  t.match(view, { nodeVersion: process.versions.node, filePrefix: 'x', primaries: [] });
});
