/**
 * What filters that read the frame as it is on the wire cost the primary: its control thread, which verifies them, and
 * each packet. What they select is shown by test/filter/vlan.ts.
 */
import t from 'tap';
import { CLASS, type ExtendedInsn, encode, JMP } from '../../../src/filter/bpf/isa.js';
import { Assembler } from '../../../src/filter/codegen/assembler.js';
import { buildPipeline } from '../../../src/filter/codegen/pipeline.js';
import { TaggedLoads } from '../../../src/filter/codegen/tagged-loads.js';
import { convert } from '../../../src/filter/codegen/translate.js';
import { LOAD_LIMIT_MS } from '../../../src/filter/loadable.js';
import type { ClassicInsn } from '../../../src/native/filter-binding.js';
import type { Direction } from '../../../src/native/primary-binding.js';
import { randomPorts } from '../../helpers/grammar.js';
import { binding } from '../../helpers/native.js';
import { Random } from '../../helpers/random.js';

const native = binding();
const layout = native.mbufLayout;
const DIRECTIONS = ['rx', 'tx'] as const;
const toTheLetter = (classic: readonly ClassicInsn[], direction: Direction): ExtendedInsn[] =>
  buildPipeline([{ classic, view: 'wire' }], { layout, direction });

/** Instructions that may be followed by one of two: a verifier has to look at both. */
const forks = (program: readonly ExtendedInsn[]): number =>
  program.filter(({ code }) => (code & 7) === CLASS.JMP && ![JMP.JA, JMP.EXIT].includes((code & 0xf0) as 0)).length;

/** The ways through a program, all of which a verifier walks that remembers none. */
function ways(program: readonly ExtendedInsn[]): number {
  const from: number[] = new Array(program.length);
  for (let at = program.length - 1; at >= 0; at--) {
    const { code, off } = program[at] as ExtendedInsn;
    const to = at + 1 + off;
    if ((code & 7) !== CLASS.JMP) from[at] = from[at + 1] as number;
    else if ((code & 0xf0) === JMP.EXIT) from[at] = 1;
    else from[at] = (from[to] as number) + ((code & 0xf0) === JMP.JA ? 0 : (from[at + 1] as number));
  }
  return from[0] as number;
}

// What libpcap leaves unoptimised is like what 1.11 makes of three ports: 25.11 took seconds to verify it.
t.test('absent tags cost a filter that asks for none one comparison', async (t) => {
  const random = new Random(17);
  const ports = Array.from({ length: 40 }, () => randomPorts(random, 8));
  for (const text of [
    'port 80 or port 443 or port 8080',
    'tcp and not port 22',
    'host 10.0.0.1',
    'udp[8] = 0',
    ...ports,
  ]) {
    for (const optimize of [true, false]) {
      const classic = native.compileFilter(text, optimize);
      const plain = convert(classic, { vlan: 'strict', layout });
      for (const direction of DIRECTIONS) {
        const program = toTheLetter(classic, direction);
        const name = `${text}, ${optimize ? '' : 'not '}optimised, ${direction}`;
        t.equal(program.length, plain.length + 3, `${name}: the flags are loaded, masked and compared`);
        t.equal(forks(program), forks(plain) + 1, `${name}: forks`);
        t.equal(ways(program), ways(plain) + 1, `${name}: ways`);
      }
    }
  }
});

t.test('a filter that asks for a tag is there for each set of absent tags that has it', async (t) => {
  const classic = native.compileFilter('vlan and vlan and tcp port 80');
  const plain = forks(convert(classic, { vlan: 'strict', layout }));
  // None absent; the inner; the outer; both. The more are absent, the fewer are looked for in the packet.
  t.ok(forks(toTheLetter(classic, 'rx')) < 4 * plain, 'received');
  t.ok(forks(toTheLetter(classic, 'tx')) < 3 * plain, 'transmitted: never the outer one alone');
  t.equal(forks(toTheLetter(native.compileFilter('vlan'), 'rx')), 4, 'the flags alone say that there is a tag');
});

t.test('DPDK’s verifier takes many loads at places in doubt quickly', async (t) => {
  for (const bytes of [1, 2, 4]) {
    const terms = Array.from({ length: 12 }, (_, i) => `ether[ether[${20 + i}]:${bytes}] = ${i + 1}`);
    for (const direction of DIRECTIONS) {
      const program = toTheLetter(native.compileFilter(terms.join(' or ')), direction);
      t.ok(ways(program) > 1e9, 'a verifier that walks all of them would never end');
      t.doesNotThrow(() => native.verifyExtended(encode(program), LOAD_LIMIT_MS), `${bytes} bytes, ${direction}`);
    }
  }
});

t.test('what is known of tags when the code is made', async (t) => {
  const tags = [
    { tpid: 0x88a8, tciOffset: 52 },
    { tpid: 0x8100, tciOffset: 42 },
  ];
  const { fixed } = new TaggedLoads(new Assembler(), tags, layout.pktLen);
  const CASES: [offset: number, bytes: number, value: number | undefined][] = [
    [12, 2, 0x88a8],
    [12, 1, 0x88],
    [13, 1, 0xa8],
    [16, 2, 0x8100],
    [17, 1, 0],
    [11, 1, undefined],
    [11, 2, undefined],
    [12, 4, undefined],
    [13, 2, undefined],
    [14, 1, undefined],
    [14, 2, undefined],
    [19, 1, undefined],
    [20, 2, undefined],
  ];
  for (const [offset, bytes, value] of CASES) t.equal(fixed(offset, bytes), value, `[${offset}:${bytes}]`);
});
