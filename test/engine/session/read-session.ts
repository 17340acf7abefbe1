/** Files that are read, against what users read them with: tcpdump, tshark, capinfos, editcap, mergecap and compressors. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync, statSync, truncateSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { capinfos, tcpdumpLines, tsharkFields } from '../../harness/pcap.js';
import { DPCAP, type Finished, run, runDpcap, startDpcap } from '../../harness/processes.js';
import { corpus } from '../../helpers/packets.js';
import { readPcap, writePcap } from '../../helpers/pcap-file.js';

const FRAMES = corpus(7, 500).map((frame) => (frame.length > 0 ? frame : Uint8Array.of(1)));
const EXPRESSIONS = ['', 'tcp', 'udp port 53 or arp', 'vlan 100', 'greater 200', 'ip6 and not tcp', 'host 192.0.2.250'];

/** A folder with a file of every format that the tools make. */
function folderOf(t: Test): { folder: string; at: (name: string) => string } {
  const folder = t.testdir();
  const at = (name: string): string => join(folder, name);
  writePcap(at('micro.pcap'), FRAMES);
  run('editcap', ['-F', 'nsecpcap', at('micro.pcap'), at('nano.pcap')]);
  run('editcap', ['-F', 'pcapng', '--capture-comment', 'a comment', at('micro.pcap'), at('one.pcapng')]);
  run('editcap', ['-t', '0.0000005', at('micro.pcap'), at('later.pcapng')]);
  run('mergecap', ['-I', 'none', '-w', at('two.pcapng'), at('one.pcapng'), at('later.pcapng')]);
  return { folder, at };
}

const dpcap = (t: Test, words: string[]): Promise<Finished> =>
  runDpcap(words).then((finished) => {
    t.match(finished, { code: 0, signal: null }, `dpcap ${words.join(' ')}\n${finished.stderr}`);
    return finished;
  });

/** Time, length on the wire and bytes of each packet, read without dpcap. */
function packetsOf(path: string): string[] {
  run('editcap', ['-F', 'nsecpcap', path, `${path}.plain`]);
  return readPcap(`${path}.plain`).packets.map(
    ({ timestampNs, len, data }) => `${timestampNs} ${len} ${data.toString('hex')}`,
  );
}

/** The number of each packet's interface. */
const interfacesOf = (path: string): string[] => tsharkFields(path, ['frame.interface_id']).flat();

t.test('what tcpdump -r writes and prints, with every filter', async (t) => {
  const { at } = folderOf(t);
  for (const expression of EXPRESSIONS) {
    const words = expression === '' ? [] : [expression];
    run('tcpdump', ['-Z', 'root', '-r', at('micro.pcap'), '-w', at('theirs'), ...words]);
    await dpcap(t, ['-r', at('micro.pcap'), '--time-precision=micro', '--vlan=strict', '-w', at('ours'), ...words]);
    t.ok(readFileSync(at('ours')).equals(readFileSync(at('theirs'))), `byte for byte: ${expression}`);
    const counted = await dpcap(t, ['-r', at('micro.pcap'), '--vlan=strict', '--count', ...words]);
    t.equal(counted.stdout, run('tcpdump', ['-Z', 'root', '-r', at('micro.pcap'), '--count', ...words]));
    const printed = await dpcap(t, ['-r', at('micro.pcap'), '--vlan=strict', '-t', ...words]);
    t.same(printed.stdout.split('\n').slice(0, -1), tcpdumpLines(at('micro.pcap'), expression));
  }
});

t.test('every format into every other, with times, lengths and interfaces', async (t) => {
  const { at } = folderOf(t);
  for (const from of ['micro.pcap', 'nano.pcap', 'one.pcapng', 'two.pcapng']) {
    await dpcap(t, ['-r', at(from), '-w', at('out.pcapng')]);
    t.same(packetsOf(at('out.pcapng')), packetsOf(at(from)), `${from} as pcapng`);
    const interfaces = from.endsWith('.pcapng') ? interfacesOf(at(from)) : FRAMES.map(() => '0');
    t.same(interfacesOf(at('out.pcapng')), interfaces);
    await dpcap(t, ['-r', at('out.pcapng'), '-w', at('out.pcap')]);
    t.same(packetsOf(at('out.pcap')), packetsOf(at(from)), `${from} as pcap`);
  }
  await dpcap(t, ['-r', at('one.pcapng'), '-s', '40', '-w', at('short.pcapng')]);
  t.same(
    tsharkFields(at('short.pcapng'), ['frame.cap_len', 'frame.len']),
    FRAMES.map((frame) => [String(Math.min(40, frame.length)), String(frame.length)]),
  );
  t.match(capinfos(at('short.pcapng')), { 'File type': 'pcapng', 'Number of packets': String(FRAMES.length) });
  t.match(run('capinfos', ['-k', at('short.pcapng')]), /Capture comment: +a comment/, 'the comment stays');
});

t.test('comments, flags and names of interfaces stay', async (t) => {
  const { at } = folderOf(t);
  run('editcap', ['-a', '3:look at this', at('one.pcapng'), at('said.pcapng')]);
  await dpcap(t, ['-r', at('said.pcapng'), '-w', at('out.pcapng')]);
  t.same(tsharkFields(at('out.pcapng'), ['frame.number', 'frame.comment'], 'frame.comment'), [['3', 'look at this']]);
});

t.test('compressed files, by what they begin with', async (t) => {
  const { at } = folderOf(t);
  for (const [tool, words] of [
    ['gzip', ['-c']],
    ['zstd', ['-q', '-c']],
    ['lz4', ['-q', '-c', '-B4']], // blocks of 64 KB, so that there is something before the cut
  ] as const) {
    const packed = execFileSync(tool, [...words, at('two.pcapng')], { maxBuffer: 2 ** 26 });
    writeFileSync(at('packed'), packed);
    await dpcap(t, ['-r', at('packed'), '-w', at('out.pcapng')]);
    t.same(packetsOf(at('out.pcapng')), packetsOf(at('two.pcapng')), tool);
    writeFileSync(at('cut'), packed.subarray(0, Math.floor(packed.length * 0.9)));
    const cut = await dpcap(t, ['-r', at('cut'), '-w', at('out.pcapng')]);
    t.match(cut.stderr, /cut ends in the middle of a packet/, `${tool}: a cut one is read up to the cut`);
    const got = packetsOf(at('out.pcapng'));
    t.ok(got.length > 0);
    t.same(got, packetsOf(at('two.pcapng')).slice(0, got.length));
  }
});

t.test('standard input, also one that takes its time', async (t) => {
  const { at } = folderOf(t);
  const running = startDpcap(['-r', '-', '-w', at('out.pcap'), '--stats', 'none']);
  const bytes = readFileSync(at('micro.pcap'), 'latin1');
  t.equal(bytes.length, statSync(at('micro.pcap')).size);
  running.closeStdin();
  t.match(await running.wait(), { code: 1, stderr: /cannot read standard input: it is empty/ });
  const piped = run('sh', ['-c', `cat "$1" | "$0" -r - --count --stats none`, DPCAP, at('micro.pcap')]);
  t.equal(piped, `${FRAMES.length} packets\n`);
  const silent = startDpcap(['-r', '-', '-w', at('nothing.pcap'), '--stats', 'ndjson', '--log-level', 'debug']);
  await silent.expect(/engine started/);
  const stopped = await silent.stop();
  t.match(stopped, { code: 0, stderr: /"stop_reason":"signal"/ }, 'a signal ends the wait for it');
});

t.test('which packets, and how it ends', async (t) => {
  const { at } = folderOf(t);
  const words = ['-r', at('micro.pcap'), '--vlan=strict', '--skip', '2', '-c', '3', '-w', at('out.pcap'), 'tcp'];
  const { stderr } = await dpcap(t, words);
  t.same(tcpdumpLines(at('out.pcap')), tcpdumpLines(at('micro.pcap'), 'tcp').slice(2, 5));
  t.match(stderr, /3 packets of .*micro.pcap to .*out.pcap .*\(ended: packets\)/);
  t.match(stderr, /interface 0: accepted 3 = written 3 \+ ringfull 0 \+ sinkdrop 0 \+ surplus 0/);
  const empty = await dpcap(t, ['-r', at('micro.pcap'), '--skip', '9999', '-w', at('out.pcap')]);
  t.match(empty.stderr, /no packets: none of the \d+ packets of .* were wanted/);
  const size = statSync(at('micro.pcap')).size;
  truncateSync(at('micro.pcap'), size - 1);
  const cut = await dpcap(t, ['-r', at('micro.pcap'), '-w', at('out.pcap'), '--stats', 'ndjson']);
  t.match(cut.stderr, /"notice":".*micro.pcap ends in the middle of a packet/);
  const last = JSON.parse(cut.stderr.trim().split('\n').at(-1) ?? '');
  t.match(last, { final: true, stop_reason: 'end of file', packets: FRAMES.length - 1, input: at('micro.pcap') });
});

t.test('what cannot be read is named, and what could be is kept', async (t) => {
  const { folder, at } = folderOf(t);
  const refused = async (words: string[], code: number, stderr: RegExp): Promise<void> => {
    t.match(await runDpcap(words), { code, stderr }, words.join(' '));
  };
  writeFileSync(at('text'), 'this is no capture');
  await refused(
    ['-r', at('text'), '-w', at('x')],
    1,
    /cannot read .*text: it is neither pcap nor pcapng\n {2}capinfos/,
  );
  await refused(['-r', at('none'), '-w', at('x')], 1, /cannot read .*none \(ENOENT\)/);
  await refused(['-r', folder, '-w', at('x')], 2, /it is a directory/);
  await refused(['-r', at('micro.pcap'), '-i', '0'], 2, /-i is about an application, and -r reads a file/);
  await refused(['--skip', '3'], 2, /--skip is about a file that is read/);
  await refused(['-r', at('micro.pcap'), '--count', '-w', at('x')], 2, /--count prints a number/);
  run('editcap', ['-T', 'rawip', at('micro.pcap'), at('raw.pcapng')]);
  await refused(
    ['-r', at('raw.pcapng'), '-w', at('x'), 'tcp'],
    2,
    /link type 101, and dpcap's filters are for Ethernet/,
  );
  await dpcap(t, ['-r', at('raw.pcapng'), '-w', at('raw.pcap')]);
  t.match(capinfos(at('raw.pcap')), { 'File encapsulation': 'rawip' }, 'without a filter the link type stays');
  run('mergecap', ['-w', at('mixed.pcapng'), at('raw.pcapng'), at('one.pcapng')]);
  await refused(
    ['-r', at('mixed.pcapng'), '-w', at('x.pcap')],
    2,
    /link types 1(01)? and 1(01)?, and pcap has room for one/,
  );
  await dpcap(t, ['-r', at('mixed.pcapng'), '-w', at('x.pcapng')]);
  t.same(interfacesOf(at('x.pcapng')), interfacesOf(at('mixed.pcapng')));
  const bytes = readFileSync(at('micro.pcap'));
  writeFileSync(at('bad.pcap'), Buffer.concat([bytes, Buffer.alloc(16, 0xff)]));
  await refused(
    ['-r', at('bad.pcap'), '-w', at('out.pcap')],
    1,
    /the rest of .*bad.pcap cannot be read: the record at byte/,
  );
  t.equal(packetsOf(at('out.pcap')).length, FRAMES.length);
});

t.test('a file can be written where it is read from', async (t) => {
  const { folder, at } = folderOf(t);
  await dpcap(t, ['-r', at('nano.pcap'), '-w', at('nano.pcap'), '-c', '5']);
  t.equal(packetsOf(at('nano.pcap')).length, 5);
  mkdirSync(join(folder, 'links'));
  run('ln', [at('micro.pcap'), join(folder, 'links/other.pcap')]);
  t.match(await runDpcap(['-r', at('micro.pcap'), '-w', join(folder, 'links/other.pcap')]), {
    code: 2,
    stderr: /-w would overwrite it while it is read/,
  });
  t.equal(packetsOf(at('micro.pcap')).length, FRAMES.length, 'and it is as it was');
});
