/** VLAN tags, wherever they are: in the packet, in the mbuf, in both; received and transmitted; in every mode. */
import t from 'tap';
import { binding } from '../../src/binding.js';
import { compileFilter, type FilterOptions } from '../../src/filter/compile.js';
import { encode, encodeClassic } from '../../src/filter/insn.js';
import { buildPipeline, type Stage } from '../../src/filter/pipeline.js';
import { offloads, tagWords, vlansOf } from '../helpers/absent-tags.js';
import { EXPRESSIONS, VLAN_EXPRESSIONS } from '../helpers/expressions.js';
import { ether, ipv4, ipv6, tcp } from '../helpers/frames.js';
import { corpus } from '../helpers/packets.js';
import { stripTags } from '../helpers/strip-tags.js';

const native = binding();
const layout = native.mbufLayout;
const frames = corpus(5, 700).flatMap(offloads);
const data = frames.map((frame) => frame.data);
const words = { rx: tagWords(frames, layout, 'rx'), tx: tagWords(frames, layout, 'tx') };

/** Indices of frames that a program judges differently from `expected`, in both directions, interpreted and compiled. */
function wrong(build: (direction: 'rx' | 'tx') => Uint8Array, expected: readonly number[]): number[] {
  const bad = new Set<number>();
  for (const direction of ['rx', 'tx'] as const) {
    for (const [jit, segment] of [
      [false, 0],
      [true, 0],
      [false, 9],
    ] as const) {
      const verdicts = native.runExtended(build(direction), data, jit, segment, words[direction]);
      verdicts.forEach((verdict, at) => {
        if (verdict !== expected[at]) bad.add(at);
      });
      // Ours, for primaries that cannot load the program.
      if (jit) continue;
      native.runInterpreter(build(direction), data, segment, words[direction]).forEach((verdict, at) => {
        if (verdict !== expected[at]) bad.add(at);
      });
    }
  }
  return [...bad];
}

const libpcap = (text: string, on: Uint8Array[]): number[] => [
  ...native.runClassic(encodeClassic(native.compileFilter(text)), on),
];
const stage = (text: string, view: Stage['view']): Stage => ({ classic: native.compileFilter(text), view });

t.test('to the letter: as tcpdump judges the frame on the wire', async (t) => {
  const wire = frames.map((frame) => frame.wire);
  for (const text of [...EXPRESSIONS, ...VLAN_EXPRESSIONS]) {
    const build = (direction: 'rx' | 'tx'): Uint8Array =>
      encode(buildPipeline([stage(text, 'wire')], { layout, direction }));
    t.same(wrong(build, libpcap(text, wire)), [], text);
  }
});

t.test('without tags, by VLAN, and untagged', async (t) => {
  const bare = data.map(stripTags);
  const wire = frames.map((frame) => frame.wire);
  const ids = frames.map(vlansOf);
  for (const text of [
    'host 10.0.0.1',
    'tcp[tcpflags] & tcp-syn != 0',
    'ip6',
    'greater 60',
    'ether[11:4] & 0xffff = 0',
  ]) {
    const plain = text === 'greater 60' ? libpcap(text, wire) : libpcap(text, bare);
    for (const vlan of [undefined, 'none', 0, 1, 7, 100, 4095] as const) {
      const build = (direction: 'rx' | 'tx'): Uint8Array =>
        encode(buildPipeline([stage(text, 'untagged')], { layout, direction, vlan }));
      const tagMatches = (at: number): boolean => {
        const own = ids[at] as number[];
        return vlan === undefined || (vlan === 'none' ? own.length === 0 : own.includes(vlan));
      };
      const expected = plain.map((verdict, at) => (verdict === 1 && tagMatches(at) ? 1 : 0));
      t.same(wrong(build, expected), [], `${text}, --vlan ${vlan ?? 'any'}`);
    }
  }
});

/** One packet in all the shapes it can arrive in; which filters find it. */
t.test('the same packet in every shape', async (t) => {
  const inside = ipv4(6, tcp(33333, 80, 2));
  const one = { tpid: 0x8100, vid: 100 };
  const two = [{ tpid: 0x88a8, vid: 7 }, one];
  const shapes = [
    ['untagged', ether(0x0800, inside), 0],
    ['tagged', ether(0x0800, inside, [one]), 0],
    ['stripped', ether(0x0800, inside, [one]), 1],
    ['double-tagged', ether(0x0800, inside, two), 0],
    ['outer tag stripped', ether(0x0800, inside, two), 1],
    ['both stripped', ether(0x0800, inside, two), 2],
    ['802.1ad alone', ether(0x0800, inside, two.slice(0, 1)), 0],
    ['another VLAN', ether(0x0800, inside, [{ tpid: 0x8100, vid: 101 }]), 1],
    ['IPv6 in the VLAN', ether(0x86dd, ipv6(6, tcp(1, 80, 2)), [one]), 1],
  ] as const;
  const arrived = shapes.map(([, wire, way]) => offloads(wire)[way] as ReturnType<typeof offloads>[number]);
  const expression = (text: string, more: FilterOptions = {}): FilterOptions => ({ expressions: [text], ...more });
  const CASES: [name: string, options: FilterOptions, found: string][] = [
    ['host 10.0.0.1', expression('host 10.0.0.1'), '11111111-'],
    ['--host', { words: { host: ['10.0.0.1'] } }, '11111111-'],
    ['tcp port 80', expression('tcp port 80'), '111111111'],
    ['--vlan 100', { vlan: 100 }, '-11111--1'],
    ['--vlan 7', { vlan: 7 }, '---1111--'],
    ['--vlan none', { vlan: 'none' }, '1--------'],
    ['--vlan 100 tcp port 80', expression('tcp port 80', { vlan: 100 }), '-11111--1'],
    ['--vlan 100 --host', { words: { host: ['10.0.0.1'] }, vlan: 100 }, '-11111---'],
    ['vlan', expression('vlan'), '-11111111'],
    ['vlan 100', expression('vlan 100'), '-11-----1'],
    ['vlan 100 and host 10.0.0.1', expression('vlan 100 and host 10.0.0.1'), '-11------'],
    ['vlan 7 and vlan 100', expression('vlan 7 and vlan 100'), '---111---'],
    ['not vlan', expression('not vlan'), '1--------'],
    ['--host with vlan 100', { words: { host: ['10.0.0.1'] }, expressions: ['vlan 100'] }, '-11------'],
    ['--vlan strict host', expression('host 10.0.0.1', { vlan: 'strict' }), '1--------'],
    ['--vlan strict vlan 100 and host', expression('vlan and host 10.0.0.1', { vlan: 'strict' }), '-11---11-'],
  ];
  for (const [name, options, found] of CASES) {
    const program = compileFilter(options);
    const packets = arrived.map((frame) => frame.data);
    for (const direction of ['rx', 'tx'] as const) {
      const code = (direction === 'rx' ? program?.extended : program?.extendedTx) as Uint8Array;
      const verdicts = native.runExtended(code, packets, false, 0, tagWords(arrived, layout, direction));
      t.equal([...verdicts].map((verdict) => (verdict ? '1' : '-')).join(''), found, `${name}, ${direction}`);
    }
  }
  t.throws(() => compileFilter({ vlan: 'none', expressions: ['tcp and vlan 5'] }), {
    exitCode: 2,
    message: /contradicts/,
  });
});
