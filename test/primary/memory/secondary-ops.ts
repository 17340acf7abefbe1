import t from 'tap';
import { refuseOtherOrder } from '../../../src/primary/memory/secondary-ops.js';

const ORDER = ['ring_mp_mc', 'ring_sp_sc', 'stack'];
const copier = (names: string[]) => ({ pid: 7, program: 'fwd', ops: { names, source: 'librte_mempool.so' } });
const UNREAD = {
  pid: 8,
  program: undefined,
  ops: { names: undefined, reason: 'no right to trace process 8' },
} as const;

t.test('secondaries with the primary’s numbering, whatever else they have', async () => {
  refuseOtherOrder(ORDER, [], false);
  refuseOtherOrder(ORDER, [copier(ORDER), copier(['ring_mp_mc', 'bucket'])], false);
});

t.test('one with another numbering is refused', async (t) => {
  for (const names of [['stack', 'ring_mp_mc'], []])
    t.throws(() => refuseOtherOrder(ORDER, [copier(ORDER), copier(names)], false), {
      code: 'ERR_MEMPOOL_OPS',
      message: `fwd (pid 7), which would copy packets for dpcap, has ${names[0] ?? 'none'} in the place of mempool handler ring_mp_mc (0)`,
      hint: /end it, .*could crash it;/,
    });
});

t.test('what the user says of them holds', async () => {
  refuseOtherOrder(ORDER, [UNREAD, copier([])], true);
});

t.test('one whose numbering is not known', async (t) => {
  t.throws(() => refuseOtherOrder(ORDER, [UNREAD], false), {
    code: 'ERR_MEMPOOL_OPS',
    message: /^a process \(pid 8\), .* not known: no right to trace process 8$/,
    hint: /--trust-mempools/,
  });
});
