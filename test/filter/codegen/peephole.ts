/** Programs are no longer than needed: no detours, nothing unreachable, and lengths that may not grow unnoticed. */
import t from 'tap';
import { CLASS, type ExtendedInsn, JMP } from '../../../src/filter/bpf/isa.js';
import { REG } from '../../../src/filter/codegen/assembler.js';
import { tidy } from '../../../src/filter/codegen/peephole.js';
import { buildPipeline, type PipelineOptions, type Stage } from '../../../src/filter/codegen/pipeline.js';
import { convert } from '../../../src/filter/codegen/translate.js';
import { EXPRESSIONS, VLAN_EXPRESSIONS } from '../../helpers/expressions.js';
import { binding } from '../../helpers/native.js';
import { randomProgram } from '../../helpers/programs.js';
import { Random } from '../../helpers/random.js';

const native = binding();
const layout = native.mbufLayout;
const JA = CLASS.JMP | JMP.JA;
const EXIT = CLASS.JMP | JMP.EXIT;

function build(texts: string[], view: Stage['view'], more: Partial<PipelineOptions> = {}): ExtendedInsn[] {
  const stages = texts.map((text) => ({ classic: native.compileFilter(text), view }));
  return buildPipeline(stages, { layout, direction: 'rx', ...more });
}

const isJump = ({ code }: ExtendedInsn): boolean => (code & 7) === CLASS.JMP && code !== EXIT;

/** What a finished program has and should not have. */
function faults(program: readonly ExtendedInsn[]): string[] {
  const reached = new Set([0]);
  return program.flatMap((insn, at) => {
    const to = at + 1 + insn.off;
    if (insn.code !== JA && insn.code !== EXIT) reached.add(at + 1);
    if (isJump(insn)) reached.add(to);
    return [
      ...(reached.has(at) ? [] : [`${at} is never reached`]),
      ...(isJump(insn) && program[to]?.code === JA ? [`${at} jumps to the jump at ${to}`] : []),
      ...(insn.code === JA && insn.off === 0 ? [`${at} jumps to what is next`] : []),
    ];
  });
}

t.test('no detours and nothing unreachable', async (t) => {
  for (const text of EXPRESSIONS) {
    t.same(faults(build([text], 'untagged')), [], text);
    t.same(faults(build([text], 'untagged', { inner: 2, vlan: [[5, 5]] })), [], `${text}, inside`);
    t.same(faults(build([text], 'wire')), [], `${text}, to the letter`);
    t.same(
      faults(convert(native.compileFilter(text, false), { vlan: 'strict', layout })),
      [],
      `${text}, not optimised`,
    );
  }
  for (const text of VLAN_EXPRESSIONS) t.same(faults(build([text], 'wire', { inner: 1 })), [], text);
  const random = new Random(5);
  for (let count = 0; count < 300; count++) {
    for (const vlan of ['strict', 'any'] as const) {
      t.same(faults(convert(randomProgram(random), { vlan, layout })), [], `random program ${count}`);
    }
  }
});

t.test('how long programs are', async (t) => {
  const LENGTHS: [number, ExtendedInsn[]][] = [
    [27, convert(native.compileFilter('tcp port 80'), { vlan: 'strict', layout })],
    [92, build(['tcp port 80'], 'untagged')],
    [70, build(['host 10.0.0.1'], 'untagged')],
    [127, build(['tcp port 80'], 'untagged', { vlan: [[100, 100]] })],
    [42, build(['tcp port 80'], 'untagged', { vlan: 'none' })],
    [274, build(['tcp port 80'], 'untagged', { inner: 1 })],
    [670, build(['tcp port 80'], 'untagged', { inner: 3 })],
  ];
  for (const [most, { length }] of LENGTHS) t.ok(length <= most, `${length} instructions, at most ${most}`);
});

/** The instructions that some way from `start` on leads to. */
function wayFrom(program: readonly ExtendedInsn[], start: number): ExtendedInsn[] {
  const reached = new Set([start]);
  program.forEach((insn, at) => {
    if (!reached.has(at)) return;
    if (insn.code !== JA && insn.code !== EXIT) reached.add(at + 1);
    if (isJump(insn)) reached.add(at + 1 + insn.off);
  });
  return program.filter((_, at) => reached.has(at));
}

t.test('a frame whose EtherType is no tag is not searched for tags', async (t) => {
  const program = build(['udp dst port 9'], 'untagged');
  const [, type, ipv4, ipv6] = program as [ExtendedInsn, ExtendedInsn, ExtendedInsn, ExtendedInsn];
  t.match([type, ipv4, ipv6], [{ imm: 12 }, { imm: 0x8100 }, { imm: 0x86dd }]);
  t.equal(3 + ipv6.off, 2 + ipv4.off, 'both go to one place');
  const untagged = wayFrom(program, 3 + ipv4.off);
  t.ok(untagged.length < 24, `${untagged.length} instructions`);
  t.notOk(
    untagged.some(({ src, dst }) => src === REG.SKIP || dst === REG.SKIP),
    'none has to do with the length of tags',
  );
  const long = Array.from({ length: 40 }, (_, i) => `host 10.0.0.${i + 1}`).join(' or ');
  t.not(build([long], 'untagged')[1]?.imm, 12, 'a long program is there once');
});

t.test('jumps are threaded, inverted and left out', async (t) => {
  const insn = (code: number, imm = 0): { insn: ExtendedInsn } => ({ insn: { code, dst: 0, src: 0, off: 0, imm } });
  const jump = (code: number, target: number): { insn: ExtendedInsn; target: number } => ({ ...insn(code), target });
  const codes = (items: ReturnType<typeof tidy>): string[] =>
    items.map(({ insn, target, label }) => (insn ? `${insn.code.toString(16)}${target ?? ''}` : `L${label}`));
  const [JEQ, JNE, NOP] = [0x15, 0x55, 0xb4];
  const over = [jump(JEQ, 0), jump(JA, 1), { label: 0 }, insn(NOP), { label: 1 }, insn(EXIT)];
  t.same(codes(tidy(over)), [`${JNE.toString(16)}1`, 'L0', 'b4', 'L1', '95'], 'inverted');
  const chain = [jump(JEQ, 0), insn(EXIT), { label: 0 }, jump(JA, 1), insn(NOP), { label: 1 }, insn(EXIT)];
  t.same(codes(tidy(chain)), ['151', '95', 'L1', '95'], 'threaded, and what was passed over is gone');
  const kept = [jump(JEQ, 0), { label: 2 }, jump(JA, 1), { label: 0 }, insn(NOP), { label: 1 }, insn(EXIT)];
  t.same(codes(tidy(kept)), ['150', 'L2', '51', 'L0', 'b4', 'L1', '95'], 'a jump that others lead to stays');
  const same = [
    jump(JEQ, 0),
    jump(JEQ, 1),
    jump(JA, 2),
    { label: 0 },
    { label: 1 },
    jump(JA, 2),
    insn(NOP),
    { label: 2 },
  ];
  t.same(codes(tidy([...same, insn(EXIT)])), ['L2', '95'], 'comparisons whose outcomes lead to one place are dropped');
});

t.test('the test can fail', async (t) => {
  const insn = (code: number, off: number): ExtendedInsn => ({ code, dst: 0, src: 0, off, imm: 0 });
  t.equal(faults([insn(0x15, 1), insn(EXIT, 0), insn(JA, 1), insn(0xb4, 0), insn(EXIT, 0)]).length, 2);
  t.equal(faults([insn(JA, 0), insn(EXIT, 0)]).length, 1);
});
