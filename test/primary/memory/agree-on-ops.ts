import fc from 'fast-check';
import t from 'tap';
import { agreeOnOps } from '../../../src/primary/memory/agree-on-ops.js';
import type { OpsReading } from '../../../src/primary/memory/mempool-ops.js';
import { RING_BLOCK, type RingBlock } from '../../../src/primary/memory/ring-block.js';
import { OWN_OPS, TESTPMD_OPS } from '../helpers/fake-host.js';

const exact = (names: string[]): OpsReading => ({ names, source: '/bin/app' });
const unread: OpsReading = { names: undefined, reason: 'may not look' };
const at = (base: number, certain = true): RingBlock => {
  const evidence = [{ pool: 'mb_pool_0', index: base, handler: RING_BLOCK[0] }];
  return { base, order: RING_BLOCK, certain, evidence };
};
const unseen: RingBlock = { base: undefined, reason: 'no mempool' };

t.same(agreeOnOps(exact(TESTPMD_OPS), at(3), OWN_OPS), TESTPMD_OPS, 'both sources');
t.same(agreeOnOps(exact(TESTPMD_OPS), unseen, OWN_OPS), TESTPMD_OPS, 'the exact one alone');
t.same(agreeOnOps(exact(OWN_OPS), at(2), OWN_OPS), OWN_OPS, 'nothing to do');
t.same(agreeOnOps(exact(['mine', 'ring_mp_mc']), unseen, ['stack', 'ring_mp_mc']), ['mine', 'ring_mp_mc', 'stack']);
t.same(
  agreeOnOps(exact(['a', 'ring_mp_mc']), unseen, ['b', 'ring_mp_mc', 'c'], { maxOps: 3 }),
  ['a', 'ring_mp_mc', 'b'],
  'full',
);
t.same(agreeOnOps(unread, at(0), OWN_OPS).slice(0, 7), [...RING_BLOCK, 'octeontx_fpavf'], 'inferred alone');
t.equal(agreeOnOps(unread, at(8), OWN_OPS).indexOf('ring_mp_mc'), 8, 'at the end');
const reversed = [...RING_BLOCK].reverse();
t.same(
  agreeOnOps(unread, { base: 1, order: reversed, certain: true, evidence: [] }, OWN_OPS).slice(1, 7),
  reversed,
  'in the order that the mempools show',
);

const REFUSED: [string, OpsReading, RingBlock, string[], RegExp][] = [
  ['neither', unread, unseen, OWN_OPS, /may not look; no mempool/],
  ['contradiction', exact(TESTPMD_OPS), at(2), OWN_OPS, /at 3.*mb_pool_0.*at 2/],
  ['more handlers than we know', unread, at(9), OWN_OPS, /more mempool handlers/],
  ['no ring handlers of our own', exact(TESTPMD_OPS), at(3), ['stack'], /dpcap itself/],
];
for (const [name, reading, block, own, message] of REFUSED) {
  t.throws(
    () => agreeOnOps(reading, block, own),
    { code: 'ERR_MEMPOOL_OPS', hint: /root/, message },
    `refuses ${name}`,
  );
}

t.test('ordinary pools prove nothing, unless somebody vouches for them', async (t) => {
  const ordinary = at(3, false);
  t.throws(() => agreeOnOps(unread, ordinary, OWN_OPS), { code: 'ERR_MEMPOOL_OPS', hint: /--trust-mempools/ });
  t.equal(agreeOnOps(unread, ordinary, OWN_OPS, { trust: true }).indexOf('ring_mp_mc'), 3);
  t.same(agreeOnOps(exact(TESTPMD_OPS), ordinary, OWN_OPS), TESTPMD_OPS, 'nor are they needed with the table itself');
});

t.test('an index means the same name on both sides, and no name is lost or doubled', async (t) => {
  const orders = fc.shuffledSubarray(TESTPMD_OPS, { minLength: TESTPMD_OPS.length });
  fc.assert(
    fc.property(orders, orders, (theirs, own) => {
      const agreed = agreeOnOps(exact(theirs), unseen, own);
      return agreed.join() === theirs.join();
    }),
  );
  fc.assert(
    fc.property(fc.nat(8), (base) => {
      const agreed = agreeOnOps(unread, at(base), OWN_OPS);
      return agreed.indexOf('ring_mp_mc') === base && [...agreed].sort().join() === [...OWN_OPS].sort().join();
    }),
  );
  t.pass('');
});
