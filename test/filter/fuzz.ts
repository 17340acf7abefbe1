/**
 * Random expressions, words and programs on random packets, ours against libpcap's interpreter; by themselves, and in whole
 * filters with `--vlan` and `--inner`. Seeded: a failure prints the seed of its round. `--seconds N` runs for N seconds,
 * `--seed N` starts elsewhere; otherwise a fixed number of rounds.
 */
import t from 'tap';
import { analyse, liveM } from '../../src/filter/bpf/analyse.js';
import { encode, encodeClassic } from '../../src/filter/bpf/isa.js';
import { buildPipeline, type PipelineOptions } from '../../src/filter/codegen/pipeline.js';
import { convert } from '../../src/filter/codegen/translate.js';
import { compileWords } from '../../src/filter/words/filter-words.js';
import type { ClassicInsn } from '../../src/native/filter-binding.js';
import { offloadsOf, tagWords } from '../helpers/absent-tags.js';
import { randomExpression, randomPorts } from '../helpers/grammar.js';
import { allVerdicts, binding } from '../helpers/native.js';
import { randomFrame } from '../helpers/packets.js';
import { expectedVerdicts, verdictsWithoutTags } from '../helpers/pipeline-reference.js';
import { mutate, randomProgram } from '../helpers/programs.js';
import { Random } from '../helpers/random.js';
import { anyFrame, randomWords } from '../helpers/random-words.js';
import { stripTags } from '../helpers/strip-tags.js';
import { tunnelledFrame } from '../helpers/tunnels.js';
import { wordsMatch } from '../helpers/word-reference.js';

const ROUNDS = 5000;
const FRAMES = 12;
const native = binding();
const layout = native.mbufLayout;

function option(name: string): number | undefined {
  const at = process.argv.indexOf(name);
  return at < 0 ? undefined : Number(process.argv[at + 1]);
}

interface Subject {
  name: string;
  classic: ClassicInsn[];
}

/** An expression's program, optimised or not, whole or mutated, or a random one; undefined when libpcap refuses the text. */
function program(random: Random): Subject | undefined {
  if (random.chance(3)) return { name: 'random program', classic: randomProgram(random) };
  const name = `${random.chance(4) ? 'vlan 100 and ' : ''}(${randomExpression(random, random.between(1, 3))})`;
  try {
    const classic = native.compileFilter(name, !random.chance(4));
    return random.chance(3) ? { name: `mutation of ${name}`, classic: mutate(random, classic) } : { name, classic };
  } catch (error) {
    // Contradictions ("expression rejects all packets") are part of the game; a syntax error is a fault of the grammar.
    if (/syntax error/.test((error as Error).message)) throw error;
    return undefined;
  }
}

/** One of them that libpcap 1.10 has a defined result for: `geneve` leaves scratch words behind that other branches read. */
function usableProgram(random: Random): Subject {
  for (;;) {
    const subject = program(random);
    if (!subject) tally.refusedTexts++;
    else if (((analyse(subject.classic).live[0] as number) & ~(liveM(0) - 1)) !== 0) tally.undefinedInLibpcap++;
    else return subject;
  }
}

const tally = {
  programs: 0,
  filters: 0,
  words: 0,
  ports: 0,
  verdicts: 0,
  accepted: 0,
  refusedTexts: 0,
  tooComplex: 0,
  undefinedInLibpcap: 0,
};
const VLANS: PipelineOptions['vlan'][] = [
  'none',
  [[5, 5]],
  [
    [1, 7],
    [100, 100],
  ],
];
const failures: string[] = [];

/** Long programs are tried first in a process of their own: DPDK's verifier can take for ever. */
function isTooComplex(bytes: Uint8Array): boolean {
  if (bytes.length < 8 * 120) return false;
  try {
    native.verifyExtended(bytes, 100);
    return false;
  } catch (error) {
    if ((error as { errno?: string }).errno !== 'ETIMEDOUT') throw error;
    tally.tooComplex++;
    return true;
  }
}

function compare(name: string, bytes: Uint8Array, frames: Uint8Array[], expected: ArrayLike<number>, run: Run): void {
  if (isTooComplex(bytes)) return;
  for (const verdicts of allVerdicts(bytes, frames, run.segment, run.tags)) {
    tally.verdicts += verdicts.length;
    const wrong = verdicts.findIndex((verdict, at) => verdict !== expected[at]);
    if (wrong >= 0) failures.push(`seed ${run.seed} segment ${run.segment} frame ${wrong}: ${name}`);
  }
  tally.accepted += Array.from(expected).filter((verdict) => verdict === 1).length;
}

interface Run {
  seed: number;
  segment: number;
  tags?: Uint32Array;
}

const segmentSize = (random: Random): number => (random.chance(2) ? 0 : random.between(1, 64));

/** The converter alone. */
function convertRound(random: Random, seed: number): void {
  const { name, classic } = usableProgram(random);
  const frames = Array.from({ length: FRAMES }, () => randomFrame(random));
  for (const vlan of ['strict', 'any'] as const) {
    const expected =
      vlan === 'any' ? verdictsWithoutTags(classic, frames) : native.runClassic(encodeClassic(classic), frames);
    const bytes = encode(convert(classic, { vlan, layout }));
    compare(`vlan ${vlan}: ${name}`, bytes, frames, expected, { seed, segment: segmentSize(random) });
  }
  tally.programs++;
}

/** A whole filter: one or two programs, tags in packets and mbufs, tunnels. */
function filterRound(random: Random, seed: number): void {
  const vlan = random.pick([undefined, undefined, undefined, ...VLANS]);
  const inner = random.pick([undefined, undefined, 1, 1, 1, 2, 3]);
  const stages = Array.from({ length: random.pick([0, 1, 1, 1, 1, 2]) }, () => {
    const view = random.chance(3) ? ('wire' as const) : ('untagged' as const);
    return { ...usableProgram(random), view };
  });
  const direction = random.pick(['rx', 'tx'] as const);
  const frames = Array.from({ length: FRAMES }, () =>
    random.pick(
      offloadsOf(direction, random.chance(inner === undefined ? 8 : 1) ? tunnelledFrame(random) : randomFrame(random)),
    ),
  );
  const data = frames.map((frame) => frame.data);
  const expected = expectedVerdicts(stages, { vlan, inner }, frames);
  const name = `vlan ${JSON.stringify(vlan)} inner ${inner} ${stages.map((stage) => `${stage.view}: ${stage.name}`).join(' AND ')}`;
  const bytes = encode(buildPipeline(stages, { layout, direction, vlan, inner }));
  const tags = tagWords(frames, layout, direction);
  compare(`${direction} ${name}`, bytes, data, expected, { seed, segment: segmentSize(random), tags });
  tally.filters++;
}

/** Up to eight ports with `--vlan strict`, without it, and with `--vlan`, on frames whose tags are anywhere. */
function portRound(random: Random, seed: number): void {
  const text = randomPorts(random, 8);
  const classic = native.compileFilter(text);
  const direction = random.pick(['rx', 'tx'] as const);
  const frames = Array.from({ length: FRAMES }, () => random.pick(offloadsOf(direction, randomFrame(random))));
  const data = frames.map((frame) => frame.data);
  const tags = tagWords(frames, layout, direction);
  for (const [view, vlan] of [
    ['wire', undefined],
    ['untagged', undefined],
    ['untagged', random.pick(VLANS)],
  ] as const) {
    const bytes = encode(buildPipeline([{ classic, view }], { layout, direction, vlan }));
    const expected = expectedVerdicts([{ classic, view }], { vlan }, frames);
    const name = `${direction} ${view} vlan ${JSON.stringify(vlan)} ${text}`;
    compare(name, bytes, data, expected, { seed, segment: segmentSize(random), tags });
  }
  tally.ports++;
}

/** Words as a program, in a whole filter: tags in packets and mbufs, and what `--vlan strict` makes of them. */
function wordRound(random: Random, seed: number): void {
  const words = randomWords(random);
  let program: ReturnType<typeof compileWords>;
  try {
    program = compileWords(words);
  } catch (error) {
    if (/no packet is/.test((error as Error).message)) return;
    throw error;
  }
  const { classic } = program as NonNullable<typeof program>;
  const direction = random.pick(['rx', 'tx'] as const);
  const view = random.pick(['untagged', 'wire'] as const);
  const frames = Array.from({ length: FRAMES }, () => random.pick(offloadsOf(direction, anyFrame(random))));
  const data = frames.map((frame) => frame.data);
  const expected = frames.map(({ wire }, at) =>
    wordsMatch(words, view === 'wire' ? wire : stripTags(data[at] as Uint8Array)),
  );
  const bytes = encode(buildPipeline([{ classic, view, isSearch: true }], { layout, direction }));
  const tags = tagWords(frames, layout, direction);
  compare(`${view} ${JSON.stringify(words)}`, bytes, data, expected, { seed, segment: segmentSize(random), tags });
  tally.words++;
}

const ROUNDS_IN_TURN = [convertRound, filterRound, portRound, filterRound, wordRound, convertRound, filterRound];

t.setTimeout(0);
t.test('fuzz', { timeout: 0 }, async (t) => {
  const seconds = option('--seconds');
  const first = option('--seed') ?? 1;
  const end = Date.now() + (seconds ?? 45) * 1000;
  for (let seed = first; Date.now() < end && (seconds !== undefined || seed < first + ROUNDS); seed++) {
    try {
      const random = new Random(seed);
      ROUNDS_IN_TURN[seed % ROUNDS_IN_TURN.length]?.(random, seed);
    } catch (error) {
      failures.push(`seed ${seed}: ${(error as Error).message}`);
    }
    if (failures.length >= 20) break;
  }
  t.same(failures, [], 'no difference, no refusal');
  const rounds = tally.programs + tally.filters + tally.words + tally.ports;
  t.ok(tally.filters > rounds / 3, 'whole filters are among them');
  t.ok(tally.ports > rounds / 10, 'ports are among them');
  t.ok(tally.accepted > rounds, 'programs accept packets often enough to say something');
  t.ok(tally.tooComplex < rounds / 20, 'few programs are too much for the verifier');
  t.comment(JSON.stringify(tally));
});
