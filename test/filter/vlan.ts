/** VLAN tags, wherever they are: in the packet, in the mbuf, in both; received and transmitted; in every mode. */
import t from 'tap';
import { encode, encodeClassic } from '../../src/filter/bpf/isa.js';
import { buildPipeline, type PipelineOptions, type Stage } from '../../src/filter/codegen/pipeline.js';
import type { FilterOptions } from '../../src/filter/compile.js';
import { parseVlan } from '../../src/filter/words/vlan-ids.js';
import type { Direction } from '../../src/native/primary-binding.js';
import { type Offloaded, offloads, offloadsOf, tagWords } from '../helpers/absent-tags.js';
import { EXPRESSIONS, VLAN_EXPRESSIONS } from '../helpers/expressions.js';
import { ether, ipv4, ipv6, tcp } from '../helpers/frames.js';
import { allVerdicts, binding, compileFilter } from '../helpers/native.js';
import { corpus } from '../helpers/packets.js';
import { expectedVerdicts } from '../helpers/pipeline-reference.js';

const native = binding();
const layout = native.mbufLayout;
const wires = corpus(5, 700);
const arrived = { rx: framesOf('rx'), tx: framesOf('tx') };

function framesOf(direction: Direction): { frames: Offloaded[]; data: Uint8Array[]; words: Uint32Array } {
  const frames = wires.flatMap((wire) => offloadsOf(direction, wire));
  return { frames, data: frames.map(({ data }) => data), words: tagWords(frames, layout, direction) };
}

/** Frames that a program judges differently from `expected`, in both directions, interpreted and compiled. */
function wrong(
  build: (direction: Direction) => Uint8Array,
  expectedOf: (frames: readonly Offloaded[]) => readonly number[],
): string[] {
  const bad = new Set<string>();
  for (const direction of ['rx', 'tx'] as const) {
    const { frames, data, words } = arrived[direction];
    const expected = expectedOf(frames);
    for (const verdicts of [0, 9].flatMap((segment) => allVerdicts(build(direction), data, segment, words))) {
      verdicts.forEach((verdict, at) => {
        if (verdict !== expected[at]) bad.add(`${direction} ${at}`);
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
  for (const text of [...EXPRESSIONS, ...VLAN_EXPRESSIONS]) {
    const build = (direction: Direction): Uint8Array =>
      encode(buildPipeline([stage(text, 'wire')], { layout, direction }));
    const expected = (frames: readonly Offloaded[]): number[] =>
      libpcap(
        text,
        frames.map(({ wire }) => wire),
      );
    t.same(wrong(build, expected), [], text);
  }
});

t.test('without tags, by VLAN, and untagged', async (t) => {
  for (const text of [
    'host 10.0.0.1',
    'tcp[tcpflags] & tcp-syn != 0',
    'ip6',
    'greater 60',
    'ether[11:4] & 0xffff = 0',
  ]) {
    for (const given of [undefined, 'none', '0', '1', '7,100', '1-99', '4095', '0-6,100-200,4000-4095']) {
      const vlan = given === undefined ? undefined : (parseVlan([given]) as PipelineOptions['vlan']);
      const build = (direction: Direction): Uint8Array =>
        encode(buildPipeline([stage(text, 'untagged')], { layout, direction, vlan }));
      const expected = (frames: readonly Offloaded[]): number[] =>
        expectedVerdicts([stage(text, 'untagged')], { vlan }, frames);
      t.same(wrong(build, expected), [], `${text}, --vlan ${given ?? 'any'}`);
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
  const all = shapes.map(([, wire, way]) => offloads(wire)[way] as Offloaded);
  const expression = (text: string, more: FilterOptions = {}): FilterOptions => ({ expressions: [text], ...more });
  const CASES: [name: string, options: FilterOptions, found: string][] = [
    ['host 10.0.0.1', expression('host 10.0.0.1'), '11111111-'],
    ['--host', { words: { host: ['10.0.0.1'] } }, '11111111-'],
    ['tcp port 80', expression('tcp port 80'), '111111111'],
    ['--vlan 100', { vlan: [[100, 100]] }, '-11111--1'],
    ['--vlan 7,101', { vlan: parseVlan(['7,101']) }, '---11111-'],
    ['--vlan 50-100', { vlan: parseVlan(['50-100']) }, '-11111--1'],
    ['--vlan 7', { vlan: [[7, 7]] }, '---1111--'],
    ['--vlan none', { vlan: 'none' }, '1--------'],
    ['--vlan 100 tcp port 80', expression('tcp port 80', { vlan: [[100, 100]] }), '-11111--1'],
    ['--vlan 100 --host', { words: { host: ['10.0.0.1'] }, vlan: [[100, 100]] }, '-11111---'],
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
    for (const direction of ['rx', 'tx'] as const) {
      // On transmit no NIC puts in the outer of two tags alone.
      const exists = ({ inner, outer }: Offloaded): boolean =>
        direction === 'rx' || outer === undefined || inner !== undefined;
      const there = all.filter(exists);
      const code = (direction === 'rx' ? program?.extended : program?.extendedTx) as Uint8Array;
      const verdicts = native.runExtended(
        code,
        there.map(({ data }) => data),
        0,
        tagWords(there, layout, direction),
      );
      const wanted = [...found].filter((_, at) => exists(all[at] as Offloaded)).join('');
      t.equal([...verdicts].map((verdict) => (verdict ? '1' : '-')).join(''), wanted, `${name}, ${direction}`);
    }
  }
  t.throws(() => compileFilter({ vlan: 'none', expressions: ['tcp and vlan 5'] }), {
    exitCode: 2,
    message: /contradicts/,
  });
});
