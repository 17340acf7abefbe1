import t from 'tap';
import { parseArguments } from '../../src/pdump/arguments.js';
import { parsePdump } from '../../src/pdump/grammar.js';
import { planOutputs } from '../../src/pdump/outputs.js';
import { statisticsLines } from '../../src/pdump/statistics.js';

const OK = 'port=0,queue=*,rx-dev=/tmp/rx.pcap';

t.test('tuples', async (t) => {
  t.match(parsePdump(OK), { port: '0', queue: undefined, rxDev: '/tmp/rx.pcap', txDev: undefined, notes: [] });
  t.match(parsePdump('device_id=0000:06:00.0,queue=3,tx-dev=t'), { port: '0000:06:00.0', queue: 3, txDev: 't' });
  t.match(parsePdump(`${OK},host=::1,src-host=fe80::1,proto=icmp6,proto-port=80,src-port=1,dst-port=65535`).filter, {
    host: ['::1'],
    srcHost: ['fe80::1'],
    proto: ['icmp6'],
    port: ['80'],
    srcPort: ['1'],
    dstPort: ['65535'],
  });
  t.equal(parsePdump(`${OK},total-num-mbufs=2047`).mbufs, 2047);
  t.equal(parsePdump(`${OK},dir=3,ring-size=16384,mbuf-size=2176`).notes.length, 3);
  const long = `/tmp/${'x'.repeat(200)}`;
  t.equal(parsePdump(`port=1,queue=0,rx-dev=${long}`).rxDev, long, 'nothing is cut');
});

const BAD: [text: string, message: RegExp, hint: RegExp][] = [
  ['queue=0,rx-dev=x', /one of port and device_id/, /port=0/],
  ['port=0,device_id=a,queue=0,rx-dev=x', /one of port and device_id/, /./],
  ['port=0,rx-dev=x', /no queue/, /queue=\*/],
  ['port=0,queue=0', /no output/, /rx-dev/],
  ['port=32,queue=0,rx-dev=x', /port=32 .* 0 to 31/, /./],
  ['port=0,queue=abc,rx-dev=x', /queue=abc/, /queue=\*/],
  ['port=0,queue=70000,rx-dev=x', /queue=70000/, /./],
  ['port=0,port=1,queue=0,rx-dev=x', /`port` is given twice/, /once/],
  [`${OK},host=10.0.0.1,host=10.0.0.2`, /`host` is given twice/, /once/],
  [`${OK},hots=10.0.0.1`, /no key `hots`/, /`host`/],
  [`${OK},`, /no key ``/, /the keys are/],
  [`${OK},host=`, /`host` has no value/, /./],
  [`${OK},host=10.0.0.0/8`, /no IPv4 or IPv6/, /--net/],
  [`${OK},host=10.0.0.1,dst-host=::1`, /no packet has both/, /one --pdump for each/],
  [`${OK},proto=tpc`, /proto=tpc/, /`tcp`/],
  [`${OK},proto=TCP`, /proto=TCP/, /./],
  [`${OK},proto-port=0`, /proto-port=0/, /1 to 65535/],
  [`${OK},src-port=65536`, /src-port=65536/, /./],
  [`${OK},ring-size=1000`, /no power of two/, /1024/],
  [`${OK},mbuf-size=0`, /mbuf-size=0/, /./],
  [`${OK},total-num-mbufs=1024`, /total-num-mbufs=1024/, /1025 to 65535/],
];

t.test('mistakes, also those that dpdk-pdump passes over', async (t) => {
  for (const [text, message, hint] of BAD) t.throws(() => parsePdump(text), { message, hint, exitCode: 2 }, text);
});

t.test('the words around them', async (t) => {
  const script = ['-l', '3', '-n', '4', '--file-prefix', 'x', '--proc-type=auto', '--', '--multi', '--pdump', OK];
  t.match(parseArguments(script), {
    filePrefix: 'x',
    tuples: [{ port: '0' }],
    packetLimit: 0,
    notes: [/ignored: -l 3 -n 4 --proc-type=auto$/, /--multi/],
  });
  t.match(parseArguments(['-c', '0x3', '--file-prefix=y', '--', `--pdump=${OK}`, '-c', '5']), {
    filePrefix: 'y',
    packetLimit: 5,
  });
  t.match(parseArguments(['--pdump', OK, '--file-prefix', 'z']), { filePrefix: 'z' });
  t.throws(() => parseArguments(['--multi']), { message: /no --pdump/, exitCode: 2 });
  t.throws(() => parseArguments(['--pdmup', OK]), { message: /--pdmup/, hint: /`--pdump`/ });
  t.throws(() => parseArguments(['--pdump']), { message: /needs a value/ });
  t.throws(() => parseArguments(['-c', '0x3', '--pdump', OK]), { message: /-c: 0x3/, hint: /before --/ });
});

t.test('outputs', async (t) => {
  const plan = (...texts: string[]) =>
    planOutputs(
      texts.map(parsePdump),
      (name) => name === 'eth0',
      (port) => (port === '0' ? 'net_null0' : port),
    );
  const file = (path: string) => ({ kind: 'file', path });
  const eth0 = { kind: 'interface', name: 'eth0' };
  t.same(plan('port=0,queue=*,rx-dev=a,tx-dev=a'), [{ tuple: 0, to: file('a'), directions: ['rx', 'tx'] }]);
  t.same(plan('port=0,queue=*,rx-dev=a,tx-dev=b', 'port=1,queue=0,rx-dev=c'), [
    { tuple: 0, to: file('a'), directions: ['rx'] },
    { tuple: 0, to: file('b'), directions: ['tx'] },
    { tuple: 1, to: file('c'), directions: ['rx'] },
  ]);
  t.same(plan('port=0,queue=*,rx-dev=eth0,tx-dev=eth0'), [{ tuple: 0, to: eth0, directions: ['rx', 'tx'] }]);
  t.same(
    plan('port=0,queue=*,rx-dev=eth0,tx-dev=./eth0', 'port=1,queue=*,rx-dev=eth0').map(({ to }) => to),
    [eth0, file('./eth0'), eth0],
    'an interface may be shared',
  );
  t.equal(plan('port=0,queue=0,rx-dev=a', 'port=0,queue=1,rx-dev=b', 'port=0,queue=*,tx-dev=c').length, 3);
  t.throws(() => plan('port=0,queue=0,rx-dev=a', 'port=1,queue=0,rx-dev=a'), { message: /two --pdump write to a/ });
  t.throws(() => plan('port=0,queue=0,rx-dev=a', 'port=0,queue=*,rx-dev=b'), { message: /port 0 queue 0 rx/ });
  t.throws(() => plan('port=0,queue=0,rx-dev=a', 'device_id=net_null0,queue=0,rx-dev=b'), {
    message: /room for one/,
    exitCode: 2,
  });
});

t.test('closing lines', async (t) => {
  const lane = { written: 7, sinkdrop: 1, surplus: 2 } as never;
  t.same(statisticsLines([{ ports: [lane] } as never, undefined]), [
    '##### PDUMP DEBUG STATS #####',
    ' -packets dequeued:\t\t\t10',
    ' -packets transmitted to vdev:\t\t7',
    ' -packets freed:\t\t\t3',
  ]);
});
