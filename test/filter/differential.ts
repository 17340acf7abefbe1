/** The converted programs against libpcap's interpreter: every expression on every packet, in every way of running. */
import t from 'tap';
import { analyse, liveM } from '../../src/filter/bpf/analyse.js';
import { type ExtendedInsn, encode, encodeClassic } from '../../src/filter/bpf/isa.js';
import { type ConvertOptions, convert } from '../../src/filter/codegen/translate.js';
import { filterFolders, listFilters } from '../../src/filter/text/named-filters.js';
import type { ClassicInsn } from '../../src/native/filter-binding.js';
import { EXPRESSIONS, VLAN_EXPRESSIONS } from '../helpers/expressions.js';
import { randomExpression } from '../helpers/grammar.js';
import { allVerdicts, binding } from '../helpers/native.js';
import { corpus } from '../helpers/packets.js';
import { verdictsWithoutTags } from '../helpers/pipeline-reference.js';
import { Random } from '../helpers/random.js';
import { stripTags } from '../helpers/strip-tags.js';
import { tunnelledFrame } from '../helpers/tunnels.js';

const native = binding();
const random = new Random(300);
const frames = [...corpus(22, 1800), ...Array.from({ length: 300 }, () => tunnelledFrame(random))];
const stripped = frames.map(stripTags);
/** All frames in one segment, and some of them in small ones. */
const SOME = frames.map((_, at) => at).filter((at) => at % 8 === 0 && (frames[at] as Uint8Array).length < 2000);
const WAYS = [
  { segment: 0, on: frames.map((_, at) => at) },
  { segment: 7, on: SOME },
  { segment: 13, on: SOME },
].map((way) => ({ ...way, packets: way.on.map((at) => frames[at] as Uint8Array) }));
let cases = 0;
/** Written by hand, the named filters, and as many random ones as make at least 300. */
const ALL = [
  ...EXPRESSIONS,
  ...listFilters(filterFolders({ HOME: '/nonexistent' })).map(({ expression }) => expression),
];
while (ALL.length + VLAN_EXPRESSIONS.length < 300) {
  const text = randomExpression(random, 2);
  if (isUsable(text)) ALL.push(text);
}

/** Neither contradictory nor, as `geneve` in an `or`, with results that libpcap 1.10 leaves to what is in its memory. */
function isUsable(text: string): boolean {
  try {
    const programs = [true, false].map((optimize) => native.compileFilter(text, optimize));
    return programs.every((classic) => ((analyse(classic).live[0] as number) & ~(liveM(0) - 1)) === 0);
  } catch (error) {
    if (/syntax error/.test((error as Error).message)) throw error;
    return false;
  }
}

/** How many packets the program judges differently from libpcap, over all ways of running it. */
function differences(classic: ClassicInsn[], extended: ExtendedInsn[], vlan: ConvertOptions['vlan']): number {
  const expected =
    vlan === 'any' ? verdictsWithoutTags(classic, frames) : native.runClassic(encodeClassic(classic), frames);
  let count = 0;
  for (const { segment, on, packets } of WAYS) {
    for (const verdicts of allVerdicts(encode(extended), packets, segment)) {
      cases += verdicts.length;
      count += verdicts.filter((verdict, at) => verdict !== expected[on[at] as number]).length;
    }
  }
  return count;
}

const convertFor = (classic: ClassicInsn[], vlan: ConvertOptions['vlan']): ExtendedInsn[] =>
  convert(classic, { vlan, layout: native.mbufLayout });

for (const vlan of ['strict', 'any'] as const) {
  t.test(`vlan ${vlan}`, async (t) => {
    for (const text of [...ALL, ...(vlan === 'strict' ? VLAN_EXPRESSIONS : [])]) {
      // What libpcap leaves unoptimised has other instructions; the handwritten expressions show them.
      for (const optimize of EXPRESSIONS.includes(text) ? [true, false] : [true]) {
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
  t.ok(ALL.length + VLAN_EXPRESSIONS.length >= 300);
  t.ok(frames.length >= 2000);
  const idle = EXPRESSIONS.filter((text) => {
    const verdicts = native.runClassic(encodeClassic(native.compileFilter(text)), stripped);
    return !verdicts.includes(1);
  });
  t.ok(idle.length < EXPRESSIONS.length / 5, `few select nothing: ${idle.join(', ')}`);
  t.comment(
    `${cases} verdicts compared: ${ALL.length + VLAN_EXPRESSIONS.length} expressions, ${frames.length} packets`,
  );
});
