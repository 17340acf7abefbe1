import t from 'tap';
import { checkOptions, type RawCaptureOptions } from '../../src/cli/capture-options.js';
import { UsageError } from '../../src/errors.js';
import { MAX_SNAPLEN } from '../../src/protocol/limits.js';
import { DEFAULT_REQUEST } from '../../src/protocol/request.js';

t.test('defaults are tcpdump-like', async (t) => {
  t.matchOnly(checkOptions({}), {
    filePrefix: undefined,
    via: 'auto',
    probeBudget: 50,
    ports: [],
    directions: ['rx', 'tx'],
    queues: undefined,
    output: { kind: 'print' },
    format: 'pcap',
    nanoseconds: true,
    mode: 'stamped',
    snaplen: MAX_SNAPLEN,
    packetBuffered: false,
    comments: [],
    packetLimit: 0,
    byteLimit: 0,
    durationMs: undefined,
    rotation: undefined,
    minFree: undefined,
    bufferBytes: undefined,
    threads: undefined,
    stats: 'text',
    statsIntervalMs: 1000,
    quiet: false,
    trustMempools: false,
  });
});

const accepted: [string, RawCaptureOptions, object][] = [
  ['-Q in', { direction: 'in' }, { directions: ['rx'] }],
  ['--via ebpf', { via: 'ebpf', probeBudget: '100' }, { via: 'ebpf', probeBudget: 100 }],
  ['-Q out', { direction: 'out' }, { directions: ['tx'] }],
  ['-Q inout', { direction: 'inout' }, { directions: ['rx', 'tx'] }],
  ['-i 0,1', { interface: ['0,1'] }, { ports: ['0', '1'] }],
  ['-i name with a comma', { interface: ['net_pcap0,x'] }, { ports: ['net_pcap0,x'] }],
  ['--queue list', { queue: '0,2-4,3' }, { queues: [0, 2, 3, 4] }],
  ['--queue all', { queue: 'all' }, { queues: undefined }],
  ['-w file', { write: 'x.pcap' }, { output: { kind: 'file', path: 'x.pcap' }, format: 'pcap' }],
  ['-w .pcapng', { write: 'x.pcapng' }, { format: 'pcapng' }],
  ['-w .pcapng -F pcap', { write: 'x.pcapng', format: 'pcap' }, { format: 'pcap' }],
  ['-w TUNNEL', { write: 'vxlan://192.0.2.9?vni=5' }, { output: { kind: 'tunnel', protocol: 'vxlan', id: 5 } }],
  ['-w ./vxlan://x', { write: './vxlan://x' }, { output: { kind: 'file', path: './vxlan://x' } }],
  ['--threads 1 for a tunnel', { write: 'vxlan://192.0.2.9?vni=5', threads: '1' }, { threads: 1 }],
  ['-w -', { write: '-' }, { output: { kind: 'stdout' } }],
  ['-U', { packetBuffered: 1 }, { packetBuffered: true }],
  ['--capture-comment', { write: 'x.pcapng', captureComment: ['a', 'b'] }, { comments: ['a', 'b'] }],
  ['-s 0', { snapshotLength: '0' }, { snaplen: MAX_SNAPLEN }],
  ['-s 96', { snapshotLength: '96' }, { snaplen: 96 }],
  ['-c 7', { packetCount: '7' }, { packetLimit: 7 }],
  [
    '-a all three',
    { autostop: ['packets:5', 'duration:0.5', 'filesize:2'] },
    { packetLimit: 5, durationMs: 500, byteLimit: 2000 },
  ],
  ['--threads', { threads: '8' }, { threads: 8 }],
  ['-j host', { timeStampType: 'host' }, { mode: 'plain' }],
  ['micro', { timePrecision: 'micro' }, { nanoseconds: false }],
];
for (const [name, raw, expected] of accepted) {
  t.test(name, async (t) => t.match(checkOptions(raw), expected));
}

const TUNNEL = 'erspan://192.0.2.9?id=5';
const refused: [string, RawCaptureOptions, RegExp][] = [
  ['-Q sideways', { direction: 'sideways' }, /-Q: unknown direction sideways/],
  ['--queue x', { queue: '1,x' }, /--queue: x is no queue/],
  ['--queue reversed', { queue: '5-2' }, /--queue: 5-2/],
  ['-F for packets that are printed', { format: 'pcapng' }, /-F pcapng/],
  ['--threads too many', { threads: '9' }, /--threads: 9 is not a whole number from 1 to 8/],
  ['--threads and a count', { threads: '2', packetCount: '5' }, /--threads and a number of packets/],
  ['--threads and a size', { threads: '2', autostop: ['filesize:5'] }, /--threads and a number of packets/],
  ['--queue too high', { queue: '1024' }, /--queue: 1024/],
  ['--capture-comment and pcap', { write: 'x.pcap', captureComment: ['a'] }, /--capture-comment: a pcap file/],
  [
    '--capture-comment too long',
    { write: 'x.pcapng', captureComment: ['ä'.repeat(32_767)] },
    /--capture-comment: more than 65532 bytes/,
  ],
  ['-w empty', { write: '' }, /-w: the file name is empty/],
  ['-w TUNNEL that is none', { write: 'vxlan://' }, /-w vxlan:\/\/: the address of the collector is missing/],
  ['-F for a tunnel', { write: TUNNEL, format: 'pcap' }, /-F is the format of a file/],
  ['-a filesize for a tunnel', { write: TUNNEL, autostop: ['filesize:5'] }, /-a filesize is the size of a file/],
  ['-b for a tunnel', { write: TUNNEL, ringBuffer: ['files:3'] }, /-b is about files/],
  ['-a files for a tunnel', { write: TUNNEL, autostop: ['files:3'] }, /-a files is about files/],
  ['--min-free for a tunnel', { write: TUNNEL, minFree: '1G' }, /--min-free is about the disk/],
  ['--threads for a tunnel', { write: TUNNEL, threads: '2' }, /--threads is for a file/],
  ['--time-precision for a tunnel', { write: TUNNEL, timePrecision: 'micro' }, /--time-precision is that of a file/],
  ['-F pdf', { format: 'pdf' }, /-F: unknown value pdf/],
  ['-s absurd', { snapshotLength: '262145' }, /-s: 262145 is not a whole number from 0 to 262144/],
  ['-s negative', { snapshotLength: '-1' }, /-s: -1/],
  ['-s text', { snapshotLength: 'all' }, /-s: all/],
  ['-c 0', { packetCount: '0' }, /-c: 0/],
  ['-c fraction', { packetCount: '1.5' }, /-c: 1.5/],
  ['-c and -a packets', { packetCount: '100', autostop: ['packets:10'] }, /-c and -a packets say the same/],
  ['-a unknown', { autostop: ['lines:3'] }, /-a: unknown limit lines:3/],
  ['-a empty', { autostop: ['packets'] }, /-a packets: nothing/],
  ['-a duration 0', { autostop: ['duration:0'] }, /-a duration: 0/],
  ['-B tiny', { bufferSize: '1' }, /-B: 1/],
  ['--stats xml', { stats: 'xml' }, /--stats: unknown value xml/],
  ['--stats-interval 0', { statsInterval: '0' }, /--stats-interval/],
  ['-j moon', { timeStampType: 'moon' }, /--time-stamp-type: unknown value moon/],
];
for (const [name, raw, message] of refused) {
  t.test(`refuses ${name}`, async (t) => {
    t.throws(() => checkOptions(raw), { message, exitCode: 2 });
    t.throws(() => checkOptions(raw), UsageError);
  });
}

t.test('what is asked for without a word is the default of every other command', async (t) => {
  t.same(checkOptions({}), DEFAULT_REQUEST);
});
