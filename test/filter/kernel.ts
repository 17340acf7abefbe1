/** Filters as probes run them, in the kernel: of each packet they say what the engine's do, or that they do not see enough. */
import t from 'tap';
import { type ExtendedInsn, encode } from '../../src/filter/bpf/isa.js';
import { forKernel, HEADER_BYTES, KERNEL_INSN_MAX, mayBeUndecided, VERDICT } from '../../src/filter/codegen/kernel.js';
import type { FilterOptions } from '../../src/filter/compile.js';
import { compileWords, type FilterWords } from '../../src/filter/words/filter-words.js';
import { ebpfAddon } from '../../src/native/addons.js';
import type { Direction } from '../../src/native/primary-binding.js';
import { lacksProbes } from '../harness/probes.js';
import { offloadsOf, tagWords } from '../helpers/absent-tags.js';
import { EXPRESSIONS, VLAN_EXPRESSIONS } from '../helpers/expressions.js';
import { binding, compileFilter } from '../helpers/native.js';
import { corpus } from '../helpers/packets.js';
import { Random } from '../helpers/random.js';
import { randomWords } from '../helpers/random-words.js';
import { tunnelledFrame } from '../helpers/tunnels.js';

const skip = lacksProbes();
const native = binding();
const random = new Random(19);
const wires = [...corpus(19, 120), ...Array.from({ length: 60 }, () => tunnelledFrame(random))];
const ARRIVED = { rx: arrived('rx'), tx: arrived('tx') };
let [decided, undecided] = [0, 0];

function arrived(direction: Direction): { data: Uint8Array[]; words: Uint32Array } {
  const frames = wires.flatMap((wire) => offloadsOf(direction, wire));
  return { data: frames.map(({ data }) => data), words: tagWords(frames, native.mbufLayout, direction) };
}

/** The packets of which the kernel says something else, or nothing although it sees all of them. */
function differences(options: FilterOptions): string[] {
  const filter = compileFilter(options);
  if (!filter) return [];
  const { kernel, extended, extendedTx } = filter;
  if (!kernel) return ['too long'];
  const directions = extended === extendedTx ? (['rx'] as const) : (['rx', 'tx'] as const);
  return directions.flatMap((direction) => {
    const { data, words } = ARRIVED[direction];
    const expected = native.runInterpreter(direction === 'rx' ? extended : extendedTx, data, 0, words);
    const verdicts = ebpfAddon().runInKernel(kernel[direction], data, words);
    return [...verdicts].flatMap((verdict, at) => {
      const isUndecided = verdict === VERDICT.undecided;
      if (isUndecided) undecided++;
      else decided++;
      const isRight = isUndecided ? (data[at] as Uint8Array).length > HEADER_BYTES : verdict === expected[at];
      return isRight ? [] : [`${direction} ${at}: ${verdict}`];
    });
  });
}

const WAYS: FilterOptions[] = [{ vlan: 'strict' }, { vlan: [[1, 100]] }, { inner: 1 }];

t.test('expressions', { skip }, async (t) => {
  for (const [at, text] of [...EXPRESSIONS, ...VLAN_EXPRESSIONS].entries()) {
    t.same(differences({ expressions: [text] }), [], text);
    const other = WAYS[at % WAYS.length] as FilterOptions;
    t.same(differences({ ...other, expressions: [text] }), [], `${text}, ${JSON.stringify(other)}`);
  }
});

t.test('words', { skip }, async (t) => {
  for (let round = 0; round < 60; round++) {
    const words = randomWords(random);
    if (isPossible(words)) t.same(differences({ words }), [], JSON.stringify(words));
  }
});

function isPossible(words: FilterWords): boolean {
  try {
    compileWords(words);
    return true;
  } catch {
    return false; // the words contradict one another
  }
}

t.test('almost all packets are decided', { skip }, async (t) => {
  t.ok(decided > 1000 * undecided, `${decided} verdicts, ${undecided} packets undecided`);
});

t.test('packets of which more has to be seen', { skip }, async (t) => {
  const frames = [HEADER_BYTES - 1, 300, 301, 400].map((bytes) => new Uint8Array(bytes).fill(4));
  for (const text of ['ether[300] = 4', 'ether[296 + ether[0]] = 4', 'ether[300:1] = 4']) {
    const filter = compileFilter({ expressions: [text], vlan: 'strict' });
    const verdicts = ebpfAddon().runInKernel(filter?.kernel?.rx ?? new Uint8Array(), frames);
    t.same([...verdicts], [VERDICT.refused, VERDICT.refused, VERDICT.undecided, VERDICT.undecided], text);
  }
});

t.test('a verifier that refuses tells why', { skip }, async (t) => {
  const unknown = encode([
    { code: 0xb7, dst: 1, src: 0, off: 0, imm: 0 },
    { code: 0x61, dst: 0, src: 1, off: 0, imm: 0 },
  ]);
  t.throws(() => ebpfAddon().runInKernel(unknown, [new Uint8Array(60)]), {
    code: 'ERR_FILTER_UNSUPPORTED',
    message: /R1 invalid mem access/,
  });
});

const { mbufLayout } = native;
const insn = (code: number, dst = 0, src = 0, off = 0, imm = 0): ExtendedInsn => ({ code, dst, src, off, imm });
const EXIT = insn(0x95);

t.test('only what filters have is translated', async (t) => {
  t.ok(forKernel([insn(0xb4, 0, 0, 0, 1), EXIT], mbufLayout));
  t.equal(forKernel([insn(0x85), EXIT], mbufLayout), undefined, 'a call');
  t.equal(forKernel([insn(0xbf, 7, 1), EXIT], mbufLayout), undefined, 'the pointer elsewhere');
  t.equal(forKernel([insn(0x61, 0, 6, 8), EXIT], mbufLayout), undefined, 'another field of the mbuf');
  t.equal(forKernel([insn(0x61, 0, 7, 8), EXIT], mbufLayout), undefined, 'memory of something else');
  t.equal(forKernel([insn(0x7a, 10), EXIT], mbufLayout), undefined, 'a store of a constant');
  const long = [...Array.from({ length: KERNEL_INSN_MAX }, () => insn(0x20, 0, 0, 0, 12)), EXIT];
  t.equal(forKernel(long, mbufLayout), undefined, 'too long');
});

t.test('what may look beyond the bytes that are seen', async (t) => {
  const at = (offset: number): boolean => mayBeUndecided([insn(0x28, 0, 0, 0, offset), EXIT]);
  t.same([at(0), at(HEADER_BYTES - 2), at(HEADER_BYTES - 1), at(-4)], [false, false, true, true]);
  t.equal(mayBeUndecided([insn(0x48, 0, 8, 0, 0), EXIT]), true);
});
