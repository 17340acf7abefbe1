/** The helpers themselves: the reference must be right before anything is compared with it. */
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { encodeClassic } from '../../src/filter/bpf/isa.js';
import { ether } from '../helpers/frames.js';
import { binding } from '../helpers/native.js';
import { corpus } from '../helpers/packets.js';
import { readPcap, writePcap } from '../helpers/pcap-file.js';
import { stripTags } from '../helpers/strip-tags.js';

const path = join(t.testdir(), 'corpus.pcap');
const frames = corpus(7, 200);
writePcap(path, frames);

const framesOf = (file: string): Uint8Array[] => readPcap(file).packets.map(({ data }) => new Uint8Array(data));

t.test('what is written is read', async (t) => {
  t.same(framesOf(path), frames);
  t.match(readPcap(path), { precision: 'micro', snaplen: 262144, linktype: 1 });
  writeFileSync(`${path}.swapped`, Buffer.from(readFileSync(path).subarray(0, 24)).swap32());
  t.match(readPcap(`${path}.swapped`), { snaplen: 262144, packets: [] }, 'the other byte order');
  writeFileSync(`${path}.torn`, readFileSync(path).subarray(0, 99));
  t.throws(() => readPcap(`${path}.torn`), /torn/);
});

t.test('tcpdump selects what the reference selects', async (t) => {
  const { error } = spawnSync('tcpdump', ['--version']);
  if (error) return t.comment('SKIP: tcpdump is not installed');
  for (const text of ['tcp', 'tcp[tcpflags] & tcp-syn != 0', 'vlan', 'host 10.0.0.1', 'greater 100']) {
    const selected = `${path}.selected`;
    spawnSync('tcpdump', ['-r', path, '-w', selected, text]);
    const verdicts = binding().runClassic(encodeClassic(binding().compileFilter(text)), frames);
    t.same(
      framesOf(selected),
      frames.filter((_, at) => verdicts[at] === 1),
      text,
    );
  }
});

t.test('the tag stripper', async (t) => {
  const inner = Uint8Array.from([1, 2, 3]);
  const plain = ether(0x0800, inner);
  const tag = (tpid: number) => ({ tpid, vid: 5 });
  for (const tpid of [0x8100, 0x88a8, 0x9100]) t.same(stripTags(ether(0x0800, inner, [tag(tpid)])), plain);
  t.same(
    stripTags(ether(0x0800, inner, [tag(0x88a8), tag(0x8100), tag(0x8100), tag(0x9100), tag(0x8100)])),
    plain,
    'five',
  );
  const six = ether(0x0800, inner, new Array(6).fill(tag(0x8100)));
  t.same(stripTags(six), ether(0x0800, inner, [tag(0x8100)]), 'the sixth stays');
  t.same(stripTags(six.slice(0, 17)), six.slice(0, 17), 'no ethertype after the tag');
  t.same(stripTags(six.slice(0, 18)).length, 14, 'just enough');
  t.same(stripTags(ether(0x9200, inner, [])), ether(0x9200, inner, []), 'another TPID');
});
