/** The converter's promises that a differential test on ordinary frames does not reach. */
import t from 'tap';
import type { Interval } from '../../../src/filter/bpf/interval-set.js';
import { type ExtendedInsn, encode, encodeClassic, MODE } from '../../../src/filter/bpf/isa.js';
import { buildPipeline } from '../../../src/filter/codegen/pipeline.js';
import { type ConvertOptions, convert } from '../../../src/filter/codegen/translate.js';
import { LOAD_LIMIT_MS } from '../../../src/filter/loadable.js';
import type { ClassicInsn } from '../../../src/native/filter-binding.js';
import { ether, ipv4, tcp } from '../../helpers/frames.js';
import { allVerdicts, binding } from '../../helpers/native.js';
import { corpus } from '../../helpers/packets.js';

const native = binding();
const insn = (code: number, k = 0, jt = 0, jf = 0): ClassicInsn => ({ code, jt, jf, k });
const ACCEPT = insn(0x06, 1);
const toExtended = (classic: ClassicInsn[], vlan: ConvertOptions['vlan'] = 'strict'): ExtendedInsn[] =>
  convert(classic, { vlan, layout: native.mbufLayout });
const run = (
  classic: ClassicInsn[],
  frames: Uint8Array[],
  vlan: ConvertOptions['vlan'] = 'strict',
  segment = 0,
): number[] => [...native.runExtended(encode(toExtended(classic, vlan)), frames, segment)];
const frame = ether(0x0800, ipv4(6, tcp(1, 80, 2)));

t.test('offsets near 2^32 and 2^31 end the program, in the primary too', async (t) => {
  const offsets = [
    0x7fffffbf, 0x7fffffc0, 0x7ffffff8, 0x7fffffff, 0x80000000, 0xffffefff, 0xfffffff0, 0xfffffffc, 0xffffffff,
  ];
  for (const vlan of ['strict', 'any'] as const) {
    for (const segment of [0, 7]) {
      for (const k of offsets) {
        for (const [absolute, indirect] of [
          [0x20, 0x40],
          [0x28, 0x48],
          [0x30, 0x50],
        ] as const) {
          const name = `${vlan} segment ${segment} k 0x${k.toString(16)} code ${absolute}`;
          t.same(run([insn(absolute, k), ACCEPT], [frame], vlan, segment), [0], `${name} absolute`);
          // X from the packet: nothing is known about it when the program is made. The word at 30 is 10.0.0.2.
          const index = [insn(0x20, 30), insn(0x04, (k - 0x0a000002) >>> 0), insn(0x07)];
          for (const more of [0, 1, 4, 14]) {
            t.same(run([...index, insn(indirect, more), ACCEPT], [frame], vlan, segment), [0], `${name} + ${more}`);
          }
          t.same(run([insn(0x01, 20), insn(indirect, k), ACCEPT], [frame], vlan, segment), [0], `${name} constant X`);
        }
      }
    }
  }
});

t.test('no load is emitted that could wrap', async (t) => {
  for (const vlan of ['strict', 'any'] as const) {
    const program = toExtended([insn(0x20, 30), insn(0x07), insn(0x40, 0xfffffff0), insn(0x06, 1)], vlan);
    for (const { code, imm } of program) {
      if ((code & 7) === 0 && [MODE.ABS, MODE.IND].includes((code & 0xe0) as 0x20)) t.ok(imm >= 0 && imm < 0x7fffffff);
    }
  }
});

t.test('what cannot run in a primary is refused', async (t) => {
  const refuses = (text: string, hint: RegExp): unknown =>
    t.throws(() => toExtended(native.compileFilter(text)), { code: 'ERR_FILTER_UNSUPPORTED', exitCode: 2, hint }, text);
  refuses('inbound', /-Q/);
  refuses('outbound and tcp', /-Q/);
  refuses('ifindex 3', /--queue/);
  refuses('ip protochain 6', /proto/);
  refuses('ip6 protochain 6', /proto/);
  const bad: [string, ClassicInsn[]][] = [
    ['empty', []],
    ['unknown opcode', [insn(0xff), ACCEPT]],
    ['no return', [insn(0x00)]],
    ['jump outside', [insn(0x15, 0, 5, 0), ACCEPT]],
    ['ja outside', [insn(0x05, 5), ACCEPT]],
    ['M[16]', [insn(0x60, 16), ACCEPT]],
    ['too long', [...new Array(4096).fill(insn(0x00)), ACCEPT]],
  ];
  for (const [name, program] of bad) t.throws(() => toExtended(program), { code: 'ERR_FILTER_UNSUPPORTED' }, name);
});

t.test('4096 instructions work', async (t) => {
  const long = [...Array.from({ length: 4095 }, (_, i) => insn(i % 2 ? 0x04 : 0x20, 30)), insn(0x16)];
  for (const vlan of ['strict', 'any'] as const) t.same(run(long, [frame, frame.slice(0, 20)], vlan), [1, 0]);
  const jumps = [insn(0x28, 12), ...Array.from({ length: 4093 }, () => insn(0x15, 0x806, 1, 0)), insn(0x06, 0), ACCEPT];
  t.ok(toExtended(jumps).length > 4000);
});

t.test('jumps too long for an instruction are refused, not cut', async (t) => {
  // Four bytes at an unknown place near the tags: some thirty instructions each. First a jump over all of them.
  const loads = (count: number): ClassicInsn[] => [
    insn(0x30, 0),
    insn(0x07),
    insn(0x15, 1, 0, 1),
    insn(0x05, count),
    ...new Array(count).fill(insn(0x40, 0)),
    insn(0x16),
  ];
  t.throws(() => toExtended(loads(4000), 'any'), { code: 'ERR_FILTER_UNSUPPORTED', message: /too long/ });
  const extended = toExtended(loads(500), 'any');
  const jumps = [...extended.entries()].filter(([, { code }]) => (code & 7) === 5 && code !== 0x95);
  t.ok(jumps.every(([at, { off }]) => off >= 0 && at + 1 + off < extended.length));
  t.ok(jumps.some(([, { off }]) => off > 10000));
});

t.test('arithmetic is that of 32 bits', async (t) => {
  const values = [0, 1, 31, 32, 33, 0x7fffffff, 0x80000000, 0xffffffff];
  const ops = [0x0c, 0x1c, 0x2c, 0x3c, 0x4c, 0x5c, 0x6c, 0x7c, 0x9c, 0xac];
  const bytes = (a: number, x: number): Uint8Array => {
    const packet = new Uint8Array(8);
    new DataView(packet.buffer).setUint32(0, a);
    new DataView(packet.buffer).setUint32(4, x);
    return packet;
  };
  for (const op of ops) {
    for (const a of values) {
      for (const x of values) {
        for (const compare of [0x15, 0x25, 0x35, 0x45]) {
          const k = values[(a + x + op) % values.length] as number;
          const program = [
            insn(0x20, 4),
            insn(0x07),
            insn(0x20, 0),
            insn(op),
            insn(compare, k, 0, 1),
            ACCEPT,
            insn(0x06, 0),
          ];
          const expected = [...native.runClassic(encodeClassic(program), [bytes(a, x)])];
          const extended = encode(toExtended(program));
          for (const [actual] of allVerdicts(extended, [bytes(a, x)])) {
            if (actual !== expected[0]) t.fail(`op ${op} a ${a} x ${x} compare ${compare} k ${k}`);
          }
        }
      }
    }
  }
});

t.test('programs stay close to libpcap’s', async (t) => {
  const length = (text: string, vlan: ConvertOptions['vlan']): number =>
    toExtended(native.compileFilter(text), vlan).length;
  t.ok(length('tcp port 80', 'strict') <= 27, '20 classic instructions');
  t.ok(length('host 10.0.0.1', 'strict') <= 18, '14 classic instructions');
  t.equal(
    length('ether host 02:00:00:00:00:0a', 'any'),
    length('ether host 02:00:00:00:00:0a', 'strict'),
    'no preamble',
  );
});

t.test(
  'DPDK’s verifier takes a program of many alternatives quickly, with any number of tags and tunnels',
  async (t) => {
    const alternatives = (one: (i: number) => string): ClassicInsn[] =>
      native.compileFilter(Array.from({ length: 150 }, (_, i) => one(i)).join(' or '));
    const lists = {
      hosts: alternatives((i) => `host 2001:db8::${i + 1}`),
      ports: alternatives((i) => `port ${3 * i}`),
    };
    const loads = (program: ExtendedInsn[], name: string): unknown =>
      t.doesNotThrow(() => native.verifyExtended(encode(program), LOAD_LIMIT_MS), name);
    for (const [name, classic] of Object.entries(lists)) {
      for (const vlan of ['strict', 'any'] as const) loads(toExtended(classic, vlan), `${name}, vlan ${vlan}`);
      const options = { layout: native.mbufLayout, direction: 'rx' } as const;
      const vlan: Interval[] = [[5, 5]];
      for (const more of [{ vlan }, { inner: 1 }, { inner: 3 }, { inner: 2, vlan }]) {
        const program = buildPipeline([{ classic, view: 'untagged' }], { ...options, ...more });
        loads(program, `${name}, ${JSON.stringify(more)}`);
      }
    }
  },
);

t.test('the addon checks what it is given', async (t) => {
  t.throws(() => native.runExtended(new Uint8Array(7), []), TypeError);
  t.throws(() => native.runExtended(new Uint8Array(8), []), {
    code: 'ERR_FILTER_UNSUPPORTED',
    message: /invalid opcode/,
  });
  t.throws(() => native.runExtended(new Uint8Array(0), []), { code: 'ERR_FILTER_UNSUPPORTED' });
  t.throws(() => native.verifyExtended(new Uint8Array(8), 1000), { code: 'ERR_FILTER_UNSUPPORTED' });
  t.throws(() => native.runClassic(encodeClassic([insn(0xff)]), []), { code: 'ERR_FILTER_UNSUPPORTED' });
  t.throws(() => native.compileFilter('tcp prt 80'), { code: 'ERR_FILTER_SYNTAX', message: /syntax error/ });
  t.equal(corpus(1, 10).length, corpus(1, 10).length);
});
