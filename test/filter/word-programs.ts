/**
 * The programs that are made of words: against a reference of their own, against libpcap where it means the same, in every way of
 * running, for one value and for thousands.
 */
import t from 'tap';
import { costOf } from '../../src/filter/bpf/cost.js';
import { decode, encodeClassic } from '../../src/filter/bpf/isa.js';
import { LOAD_LIMIT_MS } from '../../src/filter/loadable.js';
import { compileWords, type FilterWords } from '../../src/filter/words/filter-words.js';
import type { Direction } from '../../src/native/primary-binding.js';
import { type Offloaded, offloadsOf, tagWords } from '../helpers/absent-tags.js';
import { extendedFrame } from '../helpers/extension-headers.js';
import { binding, compileFilter } from '../helpers/native.js';
import { corpus } from '../helpers/packets.js';
import { Random } from '../helpers/random.js';
import { anyFrame, randomWords, V4, V6 } from '../helpers/random-words.js';
import { stripTags } from '../helpers/strip-tags.js';
import { wordsMatch, wordsToExpression } from '../helpers/word-reference.js';

const native = binding();
/** Undefined where the words contradict each other. */
function tryCompile(words: FilterWords): ReturnType<typeof compileWords> {
  try {
    return compileWords(words);
  } catch (error) {
    if (/no packet is/.test((error as Error).message)) return undefined;
    throw error;
  }
}

t.test('random words on random frames', async (t) => {
  const wrong: string[] = [];
  let [accepted, programs] = [0, 0];
  for (let seed = 1; seed <= 1500 && wrong.length < 10; seed++) {
    const random = new Random(seed);
    const words = randomWords(random);
    const program = tryCompile(words);
    if (!program) continue;
    programs++;
    const frames = Array.from({ length: 30 }, () => anyFrame(random));
    const expected = frames.map((frame) => wordsMatch(words, frame));
    const actual = native.runClassic(encodeClassic(program.classic), frames);
    actual.forEach((verdict, at) => {
      if (verdict !== expected[at]) wrong.push(`seed ${seed} frame ${at}: ${JSON.stringify(words)}`);
    });
    accepted += expected.filter((verdict) => verdict === 1).length;
  }
  t.same(wrong, []);
  t.ok(programs > 1000 && accepted > 2000, `${programs} programs, ${accepted} accepted`);
});

t.test('in the primary: tags anywhere, both directions, tunnels aside', async (t) => {
  const wrong: string[] = [];
  for (let seed = 1; seed <= 150 && wrong.length < 10; seed++) {
    const random = new Random(seed);
    const words = randomWords(random);
    if (!tryCompile(words)) continue;
    for (const vlan of ['any', 'strict'] as const) {
      const program = compileFilter({ words, vlan });
      for (const direction of ['rx', 'tx'] as const) {
        const frames = Array.from({ length: 30 }, () => random.pick(offloadsOf(direction, anyFrame(random))));
        const expected = frames.map(({ wire, data }) => wordsMatch(words, vlan === 'any' ? stripTags(data) : wire));
        const code = (direction === 'rx' ? program?.extended : program?.extendedTx) as Uint8Array;
        run(code, frames, direction, random.pick([0, 0, 7, 31])).forEach((verdict, at) => {
          if (verdict !== expected[at]) wrong.push(`seed ${seed} ${vlan} ${direction} ${at}: ${JSON.stringify(words)}`);
        });
      }
    }
  }
  t.same(wrong, []);
});

function run(code: Uint8Array, frames: Offloaded[], direction: Direction, segment: number): Uint8Array {
  const data = frames.map((frame) => frame.data);
  return native.runExtended(code, data, segment, tagWords(frames, native.mbufLayout, direction));
}

const addresses = (count: number, first = 10): string[] =>
  Array.from({ length: count }, (_, i) => `${first}.${(i * 7) % 250}.${(i * 13) % 250}.${(i * 101) % 251}`);
const ipv6Addresses = (count: number): string[] =>
  Array.from({ length: count }, (_, i) => `2001:db8:${((i * 7919) & 0xffff).toString(16)}::${(i + 1).toString(16)}`);

t.test('where libpcap means the same, it says the same', async (t) => {
  // Without extension headers; and whole frames: libpcap's chain reads the second address before the next host's first.
  const frames = corpus(77, 1200).filter((frame) => frame.length >= 60);
  const plain = frames.filter((frame) => frame[12] !== 0x86 || ![0, 43, 44, 51, 60].includes(frame[20] as number));
  const random = new Random(9);
  const lists: FilterWords[] = [
    ...Array.from({ length: 120 }, () => randomWords(random)),
    { host: [...V4, ...V6, ...addresses(60)] },
    { port: Array.from({ length: 60 }, () => String(random.below(65536))) },
    ...['tcp', 'esp', 'icmp', 'igmp', 'ospf', 'vrrp', 'gre'].map((name) => ({ proto: [name] })),
  ];
  for (const words of lists) {
    const program = tryCompile(words);
    if (!program) continue;
    const text = wordsToExpression(words);
    let theirs: Uint8Array;
    try {
      theirs = native.runClassic(encodeClassic(native.compileFilter(text)), plain);
    } catch (error) {
      // A contradiction that libpcap finds and we do not look for: no packet matches then.
      t.match((error as Error).message, /rejects all packets/, text);
      theirs = new Uint8Array(plain.length);
    }
    t.same(native.runClassic(encodeClassic(program.classic), plain), theirs, text.slice(0, 100));
  }
});

t.test('values by the number are a search', async (t) => {
  const cases: [name: string, words: FilterWords][] = [
    ...[1, 2, 10, 30, 100, 122, 300].flatMap((count): [string, FilterWords][] => [
      [`${count} hosts`, { host: addresses(count) }],
      [`${count} IPv6 hosts`, { host: ipv6Addresses(count) }],
      [`${count} ports`, { port: Array.from({ length: count }, (_, i) => `${i * 30}`) }],
    ]),
    ['1000 hosts', { host: addresses(1000) }],
    ['1000 hosts above 128.0.0.0', { host: addresses(1000, 210) }],
    ['2000 hosts as source, 500 as destination', { srcHost: addresses(2000), dstHost: addresses(500) }],
    ['500 IPv6 hosts', { host: ipv6Addresses(500) }],
    ['1000 networks', { net: addresses(1000).map((one) => `${one.split('.').slice(0, 3).join('.')}.0/24`) }],
    ['700 ports of 300 hosts', { port: Array.from({ length: 700 }, (_, i) => `${i * 7}`), host: addresses(300) }],
  ];
  for (const [name, words] of cases) {
    for (const more of [{}, { vlan: 'strict' as const }, { inner: 1 }]) {
      const program = compileFilter({ words, ...more }); // verified, within LOAD_LIMIT_MS
      const { longest } = costOf(decode(program?.extended as Uint8Array));
      t.ok(longest.instructions < 450, `${name} ${JSON.stringify(more)}: ${longest.instructions} at most`);
      t.ok((program?.expression.length ?? 0) < 700, 'the text is shortened');
    }
  }
  t.ok(LOAD_LIMIT_MS <= 1000);
});

t.test('ports and protocols behind extension headers', async (t) => {
  const random = new Random(4);
  const frames = Array.from({ length: 400 }, () => extendedFrame(random, 80));
  for (const words of [{ port: ['80'] }, { proto: ['udp'], dstPort: ['80'] }, { proto: ['tcp'] }, { proto: ['60'] }]) {
    const found = frames.filter((frame) => wordsMatch(words, stripTags(frame)) === 1);
    const program = compileFilter({ words });
    t.equal(
      run(
        program?.extended as Uint8Array,
        found.flatMap((one) => offloadsOf('rx', one)),
        'rx',
        0,
      ).includes(0),
      false,
    );
    t.ok(found.length > 20, `${JSON.stringify(words)}: ${found.length}`);
  }
});

t.test('contradictions are refused', async (t) => {
  const refused = (words: FilterWords, message: RegExp): unknown =>
    t.throws(() => compileWords(words), { exitCode: 2, message }, JSON.stringify(words));
  refused({ srcHost: ['10.0.0.1'], dstHost: ['::1'] }, /no packet is IPv4 and IPv6/);
  refused({ host: ['10.0.0.1'], net: ['fe80::/10'] }, /--host 10\.0\.0\.1 and --net fe80/);
  refused({ host: ['::1'], proto: ['icmp', 'arp'] }, /--proto icmp and --host ::1/);
  refused({ port: ['80'], proto: ['icmp'] }, /--proto icmp and --port/);
  t.ok(compileWords({ host: ['10.0.0.1', '::1'], proto: ['icmp', 'icmp6'] }));
  t.ok(compileWords({ port: ['80'], proto: ['44'] }), 'a header in front of the one with ports');
});
