import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import t from 'tap';
import { costOf, nanoseconds } from '../../src/filter/bpf/cost.js';
import { decode, encode } from '../../src/filter/bpf/isa.js';
import { listClassic } from '../../src/filter/bpf/listing.js';
import { explainFilter, testFilter } from '../../src/filter/explain.js';
import { EXPRESSIONS } from '../helpers/expressions.js';
import { ether, ipv4, tcp, udp } from '../helpers/frames.js';
import { binding, compileFilter } from '../helpers/native.js';
import { writePcap } from '../helpers/pcap-file.js';

const native = binding();

t.test('an explanation names everything', async (t) => {
  const text = explainFilter(
    compileFilter({ expressions: ['tcp port 80', 'vlan 5'], vlan: [[7, 7]], inner: 1 }),
    'auto',
  );
  for (const part of [
    'filter: (tcp port 80) and (vlan 5) --vlan 7 --inner',
    'VLAN 7 among its tags',
    'inside 1 tunnel',
    'classic BPF of "tcp port 80", VLAN tags skipped: 20 instructions',
    'classic BPF of "vlan 5", the frame as it is, tags included, because it says `vlan`',
    'eBPF for received packets',
    'eBPF for transmitted packets',
    'estimated cost',
  ])
    t.ok(text.includes(part), part);
  t.match(explainFilter(undefined, 'auto'), /every packet/);
});

t.test('where a filter runs', async (t) => {
  const filter = compileFilter({ expressions: ['tcp port 80'] });
  t.match(explainFilter(filter, 'pdump'), /^estimated cost in the primary, /m);
  t.match(explainFilter(filter, 'agent'), /^estimated cost in the application, /m);
  const kernel =
    /^note: the filter runs in the kernel, on the first 256 bytes.*^estimated cost in the kernel, .*^translated for the kernel: \d+ /ms;
  t.match(explainFilter(filter, 'ebpf'), kernel);
});

t.test('listings and costs', async (t) => {
  const { error } = spawnSync('tcpdump', ['--version']);
  for (const text of EXPRESSIONS) {
    const classic = native.compileFilter(text);
    if (!error) {
      const theirs = spawnSync('tcpdump', ['-y', 'EN10MB', '-d', '--', text], { encoding: 'utf8' })
        .stdout.split('\n')
        .slice(0, -1);
      t.same(listClassic(classic), theirs, text);
    }
    const program = compileFilter({ expressions: [text] });
    if (!program) continue;
    const insns = decode(program.extended);
    t.same(encode(insns), program.extended);
    const { shortest, longest } = costOf(insns);
    t.ok(nanoseconds(shortest) <= nanoseconds(longest) && longest.instructions <= insns.length);
  }
});

t.test('a file is tried', async (t) => {
  const path = join(t.testdir(), 'a.pcap');
  const web = ether(0x0800, ipv4(6, tcp(1, 80, 2)), [{ tpid: 0x8100, vid: 3 }]);
  const dns = ether(0x0800, ipv4(17, udp(1, 53)));
  writePcap(path, [web, dns, web, web, web.slice(0, 20), web]);
  const file = native.readCaptureFile(path);
  t.equal(
    testFilter(compileFilter({ expressions: ['tcp port 80'] }), file, native),
    '4 of 6 packets would be captured\n1, 3-4, 6\n',
  );
  t.equal(testFilter(compileFilter({ expressions: ['arp'] }), file, native), '0 of 6 packets would be captured\n');
  t.equal(testFilter(undefined, file, native), '6 of 6 packets would be captured\n1-6\n');
  t.throws(() => native.readCaptureFile(`${path}.missing`), { code: 'ERR_SYSTEM' });
});
