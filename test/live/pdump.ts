/** `dpcap pdump` in the place of dpdk-pdump: several tuples at once, one file or two, its closing lines. */
import { join } from 'node:path';
import t from 'tap';
import {
  capinfos,
  countPackets,
  isUnharmed,
  readPcap,
  remember,
  requirements,
  runDpcap,
  startDpcap,
  startReplay,
  writePcap,
} from '../harness/index.js';
import { ether, ipv4, tcp, udp } from '../helpers/frames.js';

const skip = requirements({ hugepagesMb: 384 });
const web = Array.from({ length: 40 }, (_, at) => ether(0x0800, ipv4(6, tcp(1000 + at, 80, 2))));
const dns = Array.from({ length: 25 }, (_, at) => ether(0x0800, ipv4(17, udp(2000 + at, 53))));
const bytesOf = (file: string): Buffer[] => readPcap(file).packets.map(({ data }) => data);
const closing = (dequeued: number): string =>
  `##### PDUMP DEBUG STATS #####\n -packets dequeued:\t\t\t${dequeued}\n` +
  ` -packets transmitted to vdev:\t\t${dequeued}\n -packets freed:\t\t\t0\n`;

t.test('two tuples, three files', { skip }, async (t) => {
  const folder = t.testdir();
  const [a, b] = [join(folder, 'a'), join(folder, 'b')];
  writePcap(a, [...web, ...dns]);
  writePcap(b, dns);
  const replay = await startReplay([[a], [b]], 65 + 25, { mode: 'io' });
  t.teardown(() => replay.testpmd.stop());
  const before = await remember(replay.testpmd);
  const [rx, tx, both] = ['rx.pcap', 'tx.pcap', 'both.pcap'].map((name) => join(folder, name)) as [
    string,
    string,
    string,
  ];
  const size = 'total-num-mbufs=4095';
  const pdump = startDpcap([
    ...['pdump', '-l', '0', '--file-prefix', replay.testpmd.prefix, '--', '--multi'],
    ...['--pdump', `port=0,queue=*,rx-dev=${rx},tx-dev=${tx},proto=udp,${size}`],
    ...['--pdump', `device_id=net_pcap1,queue=0,rx-dev=${both},tx-dev=${both},proto-port=53,${size}`],
  ]);
  for (const name of ['rx.pcap', 'tx.pcap', 'both.pcap']) {
    await pdump.expect(new RegExp(`capturing .* to .*${name}`), { stream: 'stderr', timeoutMs: 30_000 });
  }
  await replay.play();
  pdump.signal('SIGINT');
  const ended = await pdump.wait(30_000);
  t.match(ended, { code: 0, stdout: closing(50) + closing(50) }, ended.stderr);
  t.match(ended.stderr, /EAL options are not needed here and ignored: -l 0/);
  t.same(
    bytesOf(rx),
    dns.map((frame) => Buffer.from(frame)),
    'port 0 received',
  );
  t.same(
    bytesOf(tx),
    dns.map((frame) => Buffer.from(frame)),
    'port 0 sent',
  );
  t.equal(countPackets(both, 'udp port 53'), 50);
  t.equal(capinfos(both)['Strict time order'], 'True');
  await isUnharmed(t, replay.testpmd, before, 'after three captures at once');
});

t.test('what is wrong attaches to nothing', async (t) => {
  const run = async (...tuples: string[]): Promise<unknown> =>
    runDpcap(['pdump', '--file-prefix', 'nobody', ...tuples.flatMap((text) => ['--pdump', text])]);
  t.match(await run('port=0,queue=*,rx-dev=/tmp/x,hots=1.2.3.4'), { code: 2, stderr: /did you mean `host`/ });
  t.match(await run('port=0,queue=*,rx-dev=/tmp/x'), { code: 1, stderr: /nobody/ });
});
