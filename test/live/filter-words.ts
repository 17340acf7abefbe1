/** Filters of a thousand values in a primary, and ports behind IPv6 extension headers: what the words say is what is captured. */
import { join } from 'node:path';
import t from 'tap';
import type { FilterWords } from '../../src/filter/words/filter-words.js';
import {
  balances,
  isUnharmed,
  readPcap,
  remember,
  requirements,
  startCapture,
  startReplay,
  total,
  writePcap,
} from '../harness/index.js';
import { extendedFrame } from '../helpers/extension-headers.js';
import { corpus } from '../helpers/packets.js';
import { Random } from '../helpers/random.js';
import { stripTags } from '../helpers/strip-tags.js';
import { wordsMatch } from '../helpers/word-reference.js';

const random = new Random(51);
const FRAMES = [...corpus(40, 400), ...Array.from({ length: 200 }, () => extendedFrame(random, 80))];
/** Addresses that no frame has, around those that many have. */
const HOSTS = ['10.0.0.1', '2001:db8::1', ...Array.from({ length: 1000 }, (_, i) => `172.16.${i >> 8}.${i & 255}`)];
const CASES: FilterWords[] = [
  { host: HOSTS },
  { port: ['80'] },
  { proto: ['tcp'], dstPort: ['80', '443'] },
  { srcHost: HOSTS, port: ['1-1024', '4000'] },
];
const FLAGS = { host: '--host', srcHost: '--src-host', port: '--port', dstPort: '--dst-port', proto: '--proto' };

t.test('words', { skip: requirements({ hugepagesMb: 256 }) }, async (t) => {
  const folder = t.testdir();
  const [source, output] = [join(folder, 'in.pcap'), join(folder, 'out.pcap')];
  writePcap(source, FRAMES);
  const replay = await startReplay([[source]], FRAMES.length);
  t.teardown(() => replay.testpmd.stop());
  const before = await remember(replay.testpmd);
  for (const words of CASES) {
    const args = Object.entries(FLAGS).flatMap(([key, flag]) =>
      (words[key as keyof typeof FLAGS] ?? []).flatMap((value) => [flag, value]),
    );
    const running = await startCapture(replay.testpmd, ['-i', '0', '-Q', 'rx', '-w', output, ...args]).started();
    await replay.play();
    const captured = await running.stop();
    balances(t, captured);
    const wanted = FRAMES.filter((frame) => wordsMatch(words, stripTags(frame)) === 1);
    const name = Object.keys(words).join(', ');
    t.ok(wanted.length > 20, `${name}: ${wanted.length} of ${FRAMES.length}`);
    t.equal(total(captured, 'accepted') + total(captured, 'filtered'), FRAMES.length);
    t.same(
      readPcap(output).packets.map(({ data }) => data),
      wanted.map((frame) => Buffer.from(frame)),
      name,
    );
  }
  await isUnharmed(t, replay.testpmd, before, 'after all of them');
});
