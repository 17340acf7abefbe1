/** Defaults from a file, on a capture from a real primary. */
import { join } from 'node:path';
import t from 'tap';
import { capinfos, requirements, startDpcap, startTestpmd, tsharkFields } from '../harness/index.js';

const skip = requirements({ hugepagesMb: 128 });

t.test('a file gives what the command line does not say', { skip }, async (t) => {
  const testpmd = await startTestpmd({ vdevs: ['net_null0', 'net_null1'] });
  t.teardown(() => testpmd.stop());
  await testpmd.command('start');
  const defaults = {
    capture: { format: 'pcapng', 'packet-count': 7, 'snapshot-length': 40, 'file-prefix': testpmd.prefix },
  };
  const folder = t.testdir({ 'config.json': JSON.stringify(defaults) });
  const env = { DPCAP_CONFIG: join(folder, 'config.json') };
  const run = async (file: string, ...words: string[]): Promise<Record<string, string>> => {
    t.match(await startDpcap(['-i', '0', '-w', join(folder, file), ...words], { env }).wait(), { code: 0 });
    return capinfos(join(folder, file));
  };
  const plain = await run('plain');
  t.match(plain, { 'File type': /pcapng/, 'Number of packets': '7' });
  t.equal(tsharkFields(join(folder, 'plain'), ['frame.cap_len'])[0]?.[0], '40');
  t.match(await run('said', '-c', '3', '-F', 'pcap'), { 'File type': 'nsecpcap', 'Number of packets': '3' });
  const list = await startDpcap(['config', '--json'], { env }).wait();
  t.match(JSON.parse(list.stdout), { defaults: { length: 4 } });
});

t.test('what it says of files does not stop captures that have none', { skip }, async (t) => {
  const testpmd = await startTestpmd({ vdevs: ['net_null0', 'net_null1'] });
  t.teardown(() => testpmd.stop());
  await testpmd.command('start');
  const defaults = {
    format: 'pcapng',
    compress: 'zstd',
    'min-free': 4096,
    'capture-comment': ['of this machine'],
    'ring-buffer': ['filesize:100000'],
    'postrotate-command': 'true',
    'time-precision': 'micro',
    'file-prefix': testpmd.prefix,
    'snapshot-length': 64,
  };
  const folder = t.testdir({ 'config.json': JSON.stringify({ capture: defaults }) });
  const file = join(folder, 'x.pcapng');
  const lines = [
    ['-i', '0', '-c', '3', '-w', file, '-C', '1'],
    ['-i', '0', '-c', '3'],
    ['-i', '0', '-c', '3', '--nano'],
    ['-i', '0', '-c', '3', '-w', 'erspan://127.0.0.1?id=5'],
    ['-d', 'tcp'],
    ['--explain', 'tcp'],
    ['-r', file],
    ['-r', file, '--count'],
  ];
  for (const words of lines) {
    const { code, stderr } = await startDpcap(words, { env: { DPCAP_CONFIG: join(folder, 'config.json') } }).wait();
    t.equal(code, 0, `${words.join(' ')}: ${stderr}`);
  }
});
