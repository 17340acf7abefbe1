/** Expressions about tags, places and lengths mean the frame as it is, with the tags that the NIC took off; others skip tags. */
import t from 'tap';
import { encodeClassic } from '../../../src/filter/bpf/isa.js';
import { VIEWS } from '../../../src/filter/compile.js';
import { filterFolders, listFilters } from '../../../src/filter/text/named-filters.js';
import { literalReason } from '../../../src/filter/text/reading.js';
import type { Direction } from '../../../src/native/primary-binding.js';
import { type Offloaded, offloadsOf, tagWords } from '../../helpers/absent-tags.js';
import { EXPRESSIONS } from '../../helpers/expressions.js';
import { binding, compileFilter } from '../../helpers/native.js';
import { corpus } from '../../helpers/packets.js';

const native = binding();
const DIRECTIONS = ['rx', 'tx'] as const;
const reasonOf = (text: string): string | undefined => literalReason(text, native.compileFilter(text, false));

const PLACE = /bytes by their place/;
const AS_IT_IS: [text: string, why: RegExp][] = [
  ['ether proto 0x8100', /0x8100/],
  ['ether proto 33024', /0x8100/],
  ['not ether proto 0x8100', /0x8100/],
  ['not ether proto 0x8100 and ip', /0x8100/],
  ['tcp or ether proto 0x88a8', /0x88a8/],
  ['ether proto 0x9100 and greater 100', /0x9100/],
  ['ether[12:2] = 0x8100', PLACE],
  ['ether[12:2] = 0x800', PLACE],
  ['ether[14:2] & 0xfff = 1280', PLACE],
  ['not ether[14:2] & 0xfff = 1280', PLACE],
  ['ether [ 14 : 2 ] & 0xfff = 5', PLACE],
  ['ip or ether[36:2] = 80', PLACE],
  ['not ip and ether[36:2] = 80', PLACE],
  ['link[16] = 4', PLACE],
  ['ether[11:2] = 0x0a08', PLACE],
  ['ether[ether[5]:4] > 0', PLACE],
  ['ether[(6+6):2] = 0x800', PLACE],
  ['ether[12] & 0x80 = 0 and ether[13] = 0', PLACE],
  ['vlan 5', /vlan/],
];
const TAGS_SKIPPED = [
  // Bytes of a protocol that is asked for, before or behind.
  ...['ether proto 0x8809 and ether[14] = 1', 'ether[14] = 1 and ether proto 0x8809', 'ip and ether[36:2] = 80'],
  ...['ether[ether[0] & 7] = 2', 'ether[(1+5)] = 2', 'ipx', 'stp', 'netbeui', 'isis', 'geneve', 'pppoes and tcp'],
  ...['ether[0:4] = 0x02000000', 'ether[8:4] = 10', 'ether[11] = 5', 'ether host 02:00:00:00:00:0a', 'ip[0] & 0xf > 5'],
  ...['len > 100', 'greater 1000', 'tcp and less 100', 'host 10.0.0.1', 'tcp port 33024', 'ip[2:2] = 0x8100', 'not ip'],
  ...['ether proto 0x88cc', 'ether proto 0x9200', 'mpls', 'pppoes', 'llc', 'iso', 'arp[6:2] = 1', 'tcp[0:2] = 33024'],
];

t.test('which expressions are about the frame as it is', async (t) => {
  for (const [text, why] of AS_IT_IS) t.match(reasonOf(text), why, text);
  for (const text of TAGS_SKIPPED) t.equal(reasonOf(text), undefined, text);
  for (const text of EXPRESSIONS) {
    // Of those in the list only these are about the frame's own bytes.
    if (!/ether\[(?!0\]|8:4\])/.test(text)) t.equal(reasonOf(text), undefined, text);
  }
  for (const { name, expression } of listFilters(filterFolders({ HOME: '/nonexistent' }))) {
    if (name !== 'jumbo') t.equal(reasonOf(expression), undefined, `the filter ${name}`);
  }
});

const wires = corpus(31, 900);
const framesOf = (direction: Direction): Offloaded[] => wires.flatMap((wire) => offloadsOf(direction, wire));
const arrived = { rx: framesOf('rx'), tx: framesOf('tx') };

const libpcap = (text: string, direction: Direction): number[] => [
  ...native.runClassic(
    encodeClassic(native.compileFilter(text)),
    arrived[direction].map(({ wire }) => wire),
  ),
];

function verdicts(text: string, direction: Direction): number[] {
  const frames = arrived[direction];
  const program = compileFilter({ expressions: [text] });
  const code = (direction === 'rx' ? program?.extended : program?.extendedTx) as Uint8Array;
  const words = tagWords(frames, native.mbufLayout, direction);
  return [
    ...native.runExtended(
      code,
      frames.map(({ data }) => data),
      0,
      words,
    ),
  ];
}

t.test('they select what tcpdump selects from the file', async (t) => {
  for (const [text] of AS_IT_IS) {
    for (const direction of DIRECTIONS)
      t.same(verdicts(text, direction), libpcap(text, direction), `${text}, ${direction}`);
  }
});

t.test('lengths are those on the wire', async (t) => {
  for (const text of ['len > 100', 'greater 1000', 'less 60', 'len = 64', 'len & 7 = 4', 'len - 4 > 60 or len < 18']) {
    for (const direction of DIRECTIONS)
      t.same(verdicts(text, direction), libpcap(text, direction), `${text}, ${direction}`);
  }
  // With something else in the expression tags are skipped for that, and counted in the length.
  const [long, web, both] = ['greater 100', 'tcp', 'tcp and greater 100'].map((text) => verdicts(text, 'rx'));
  t.same(
    both,
    long?.map((verdict, at) => verdict & (web?.[at] as number)),
  );
  t.ok(both?.some((verdict, at) => verdict === 1 && arrived.rx[at]?.wire[12] === 0x81));
});

t.test('the start line and --explain say which was taken', async (t) => {
  const reading = (expressions: string[], more = {}): string | undefined =>
    compileFilter({ expressions, ...more })?.reading;
  t.equal(reading(['tcp']), 'VLAN tags skipped');
  t.equal(reading(['ether proto 0x8100']), VIEWS.wire);
  t.equal(reading(['tcp'], { vlan: 'strict' }), VIEWS.wire);
  t.equal(
    reading(['tcp', 'vlan 5']),
    'VLAN tags skipped, but for `vlan 5` the frame as it is, tags included',
    'each part on its own',
  );
  t.equal(reading([], { inner: 1 }), '');
});
