/** `--inner` against the reference decapsulator, interpreted and compiled, in one segment and in small ones. */
import t from 'tap';
import { encodeClassic } from '../../src/filter/bpf/isa.js';
import type { Stage } from '../../src/filter/codegen/pipeline.js';
import { literalReason } from '../../src/filter/text/reading.js';
import { runClassic } from '../helpers/classic-machine.js';
import { innerFrame } from '../helpers/decapsulate.js';
import { EXPRESSIONS, VLAN_EXPRESSIONS } from '../helpers/expressions.js';
import { allVerdicts, binding, compileFilter } from '../helpers/native.js';
import { corpus } from '../helpers/packets.js';
import { expectedVerdicts } from '../helpers/pipeline-reference.js';
import { Random } from '../helpers/random.js';
import { tunnelledFrame } from '../helpers/tunnels.js';

const native = binding();
const random = new Random(77);
const frames = [...Array.from({ length: 1500 }, () => tunnelledFrame(random)), ...corpus(9, 300)];
const whole = frames.map((frame) => ({ wire: frame, data: frame, inner: undefined, outer: undefined }));

function disagreements(text: string, depth: number): number[] {
  const program = compileFilter({ expressions: [text], inner: depth })?.extended as Uint8Array;
  const isLiteral = literalReason(text, native.compileFilter(text, false)) !== undefined;
  const view: Stage['view'] = isLiteral ? 'wire' : 'untagged';
  const stage = { classic: native.compileFilter(text), view };
  const expected = expectedVerdicts([stage], { inner: depth }, whole);
  const bad = new Set<number>();
  for (const verdicts of [0, 11].flatMap((segment) => allVerdicts(program, frames, segment))) {
    verdicts.forEach((verdict, at) => {
      if (verdict !== expected[at]) bad.add(at);
    });
  }
  return [...bad];
}

t.test('the reference’s machine is libpcap’s', async (t) => {
  for (const text of [...EXPRESSIONS, ...VLAN_EXPRESSIONS]) {
    const classic = native.compileFilter(text);
    const theirs = [...native.runClassic(encodeClassic(classic), frames)];
    t.same(
      frames.map((frame) => runClassic(classic, frame)),
      theirs,
      text,
    );
  }
  const first = native.compileFilter('ether[0] = 2');
  t.same([runClassic(first, Uint8Array.of(2)), runClassic(first, Uint8Array.of(2), 12)], [1, 0], 'missing bytes');
});

t.test('the corpus has every depth', async (t) => {
  for (const depth of [1, 2, 3]) {
    const found = frames.map((frame) => innerFrame(frame, depth)).filter((one) => one !== undefined);
    t.ok(found.length > 100, `${found.length} at depth ${depth}`);
    t.ok(found.some(({ bare }) => bare) && found.some(({ bare }) => !bare));
  }
});

t.test('one tunnel', async (t) => {
  for (const text of EXPRESSIONS) {
    if (text === 'rarp' || compileFilter({ expressions: [text] }) === undefined) continue;
    t.same(disagreements(text, 1), [], text);
  }
  for (const text of VLAN_EXPRESSIONS) t.same(disagreements(text, 1), [], text);
});

t.test('tunnels in tunnels', async (t) => {
  for (const depth of [2, 3]) {
    for (const text of ['tcp', 'host 10.0.0.1', 'port 80', 'tcp[tcpflags] & tcp-syn != 0', 'ip6', 'len > 100']) {
      t.same(disagreements(text, depth), [], `${text}, depth ${depth}`);
    }
  }
});

t.test('any inner packet, and the outer VLAN', async (t) => {
  const any = compileFilter({ inner: 1 })?.extended as Uint8Array;
  const expected = frames.map((frame) => Number(innerFrame(frame, 1) !== undefined));
  t.same([...native.runExtended(any, frames)], expected);
  const tagged = compileFilter({ inner: 1, vlan: [[5, 5]], expressions: ['ip'] });
  const outer = compileFilter({ vlan: [[5, 5]] })?.extended as Uint8Array;
  const inner = compileFilter({ inner: 1, expressions: ['ip'] })?.extended as Uint8Array;
  const [a, b] = [native.runExtended(outer, frames), native.runExtended(inner, frames)];
  t.same(
    [...native.runExtended(tagged?.extended as Uint8Array, frames)],
    [...a].map((verdict, at) => verdict & (b[at] ?? 0)),
  );
});
