import fc from 'fast-check';
import t from 'tap';
import {
  inferRingBlock,
  isCaptureToolName,
  type PoolFacts,
  RING_BLOCK,
} from '../../../src/primary/memory/ring-block.js';
import { OWN_OPS } from '../helpers/fake-host.js';

const SP = 4;
const SC = 8;

function pool(opsIndex: number, facts: Partial<PoolFacts> = {}): PoolFacts {
  const plain = {
    name: 'mb_pool_0',
    flags: 0,
    isRing: true,
    prodSync: 'mt',
    consSync: 'mt',
    owner: 'primary',
  } as const;
  return { ...plain, opsIndex, ...facts };
}

const spsc = { flags: SP | SC, prodSync: 'st', consSync: 'st' } as const;
const rts = { prodSync: 'rts', consSync: 'rts' } as const;
const hts = { prodSync: 'hts', consSync: 'hts' } as const;

const FOUND: [string, PoolFacts[], number, boolean][] = [
  ['an ordinary pool', [pool(3)], 3, false],
  ['several ordinary pools', [pool(3), pool(3, { name: 'b' })], 3, false],
  ['single producer and consumer', [pool(4, spsc)], 3, false],
  ['single consumer', [pool(5, { flags: SC, consSync: 'st' })], 3, false],
  ['single producer', [pool(6, { flags: SP, prodSync: 'st' })], 3, false],
  ['relaxed tail', [pool(7, rts)], 3, false],
  ['head and tail', [pool(8, hts)], 3, false],
  ['two kinds that agree', [pool(3), pool(4, spsc)], 3, true],
  ['pools of others say nothing', [pool(3), pool(9, { owner: 'foreign' }), pool(2, { owner: 'ours' })], 3, false],
  ['neither do those of dumpcap', [pool(3), pool(2, { name: 'capture_4711' })], 3, false],
  ['nor those on a stack', [pool(3), pool(11, { isRing: false })], 3, false],
];
for (const [name, pools, base, certain] of FOUND) {
  t.match(inferRingBlock(pools, OWN_OPS), { base, certain }, name);
}

const REFUSED: [string, PoolFacts[], RegExp][] = [
  ['no pool', [], /no mempool/],
  ['only foreign ones', [pool(2, { owner: 'foreign' })], /no mempool/],
  ['contradiction', [pool(3), pool(4)], /no numbering.*at 3.*at 4/],
  ['impossible index', [pool(0, spsc)], /no numbering/],
  ['a ring that no handler makes', [pool(3, { flags: SP })], /unknown handler/],
  ['ends of different kinds', [pool(3, { prodSync: 'rts' })], /unknown handler/],
];
for (const [name, pools, reason] of REFUSED) {
  t.match(inferRingBlock(pools, OWN_OPS), { base: undefined, reason }, `refuses ${name}`);
}
t.match(inferRingBlock([pool(3)], ['stack', 'ring_mp_mc']), { base: undefined, reason: /not consecutive/ });

t.test('the order is that of the mempools, where they show one, else our own', async (t) => {
  const reversed = [...RING_BLOCK].reverse();
  const both = [pool(8), pool(7, spsc)];
  t.match(inferRingBlock(both, OWN_OPS), { base: 3, order: reversed, certain: true });
  t.match(inferRingBlock(both, ['stack', ...reversed]), { base: 3, order: reversed, certain: true });
  t.match(inferRingBlock([pool(8)], ['stack', ...reversed]), { base: 3, order: reversed, certain: false });
  t.match(inferRingBlock([pool(3)], ['stack', ...reversed]), { base: 3, order: RING_BLOCK, certain: false });
});

const NAMES: [string, boolean][] = [
  ['dumpcap', true],
  ['dumpcap-4711', true],
  ['capture_mbufs', true],
  ['capture_12', true],
  ['pdump_pool_0', true],
  ['rx_ring_3', true],
  ['mb_pool_0', false],
  ['my_capture_1', false],
];
for (const [name, expected] of NAMES) t.equal(isCaptureToolName(name), expected, name);

t.test('every block place is found from every handler', async (t) => {
  const facts = [{}, spsc, { flags: SC, consSync: 'st' }, { flags: SP, prodSync: 'st' }, rts, hts] as const;
  const kinds = fc.uniqueArray(fc.nat(RING_BLOCK.length - 1), { minLength: 1 });
  fc.assert(
    fc.property(fc.nat(10), kinds, (base, some) => {
      const pools = some.map((kind) => pool(base + kind, facts[kind]));
      return inferRingBlock(pools, OWN_OPS).base === base;
    }),
  );
  t.pass('');
});
