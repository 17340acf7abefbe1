/** The converted programs against libpcap's interpreter: every expression on every packet, in every way of running. */
import t from 'tap';
import { binding, type ClassicInsn } from '../../src/binding.js';
import { type ConvertOptions, convert } from '../../src/filter/convert.js';
import { type ExtendedInsn, encode, encodeClassic } from '../../src/filter/insn.js';
import { EXPRESSIONS, VLAN_EXPRESSIONS } from '../helpers/expressions.js';
import { corpus } from '../helpers/packets.js';
import { stripTags } from '../helpers/strip-tags.js';

const native = binding();
const frames = corpus(22, 600);
const stripped = frames.map(stripTags);
/** Interpreter and JIT, in one segment and in small ones. */
const WAYS = [
  { jit: false, segment: 0 },
  { jit: true, segment: 0 },
  { jit: false, segment: 7 },
  { jit: true, segment: 13 },
];
let cases = 0;

/** How many packets the program judges differently from libpcap, over all ways of running it. */
function differences(classic: ClassicInsn[], extended: ExtendedInsn[], vlan: ConvertOptions['vlan']): number {
  const expected = native.runClassic(encodeClassic(classic), vlan === 'any' ? stripped : frames);
  let count = 0;
  for (const { jit, segment } of WAYS) {
    const verdicts = native.runExtended(encode(extended), frames, jit, segment);
    cases += verdicts.length;
    count += verdicts.filter((verdict, at) => verdict !== expected[at]).length;
  }
  return count;
}

const convertFor = (classic: ClassicInsn[], vlan: ConvertOptions['vlan']): ExtendedInsn[] =>
  convert(classic, { vlan, layout: native.mbufLayout });

for (const vlan of ['strict', 'any'] as const) {
  t.test(`vlan ${vlan}`, async (t) => {
    for (const text of [...EXPRESSIONS, ...(vlan === 'strict' ? VLAN_EXPRESSIONS : [])]) {
      for (const optimize of [true, false]) {
        const classic = native.compileFilter(text, optimize);
        t.equal(
          differences(classic, convertFor(classic, vlan), vlan),
          0,
          `${text}${optimize ? '' : ' (not optimised)'}`,
        );
      }
    }
  });
}

t.test('the test can fail', async (t) => {
  const classic = native.compileFilter('tcp[tcpflags] == tcp-syn');
  const good = convertFor(classic, 'strict');
  // What rte_bpf_convert does: indexed byte loads take A, not X, as their index. Here: X is made from A (TAX).
  const asInDpdk = convertFor(
    classic.map((insn) => (insn.code === 0xb1 ? { code: 0x07, jt: 0, jf: 0, k: 0 } : insn)),
    'strict',
  );
  t.ok(differences(classic, asInDpdk, 'strict') > 0, "DPDK's own bug is found");
  const wrongEnd = good.map((insn) => ({ ...insn, imm: insn.imm === 262144 ? 0 : insn.imm }));
  t.ok(differences(classic, wrongEnd, 'strict') > 0, 'a program that accepts nothing is found');
  t.ok(differences(classic, good, 'any') > 0, 'tags that are not looked through are found');
  const wrongOffset = good.map((insn) => ({ ...insn, imm: insn.imm === 27 ? 28 : insn.imm }));
  t.ok(differences(classic, wrongOffset, 'strict') > 0, 'a load one byte off is found');
});

t.test('the corpus and the expressions are worth something', async (t) => {
  t.ok(EXPRESSIONS.length + VLAN_EXPRESSIONS.length >= 80);
  t.ok(frames.length >= 600);
  const idle = EXPRESSIONS.filter((text) => {
    const verdicts = native.runClassic(encodeClassic(native.compileFilter(text)), stripped);
    return !verdicts.includes(1);
  });
  t.ok(idle.length < EXPRESSIONS.length / 5, `few select nothing: ${idle.join(', ')}`);
  t.comment(`${cases} verdicts compared over ${frames.length} packets`);
});
