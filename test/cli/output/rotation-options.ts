/** dumpcap's and tcpdump's words about several files, and what contradicts itself. */
import t from 'tap';
import { checkOptions, type RawCaptureOptions } from '../../../src/cli/capture-options.js';
import type { RotationPlan } from '../../../src/sinks/rotation/plan.js';

const FILE = { write: 'x.pcap' };

const accepted: [string, RawCaptureOptions, Partial<RotationPlan>][] = [
  [
    '-b filesize, files',
    { ringBuffer: ['filesize:1000', 'files:5'] },
    { bytes: 1_000_000, ring: 5, names: { kind: 'numbered' } },
  ],
  ['-b duration, a fraction', { ringBuffer: ['duration:0.5'] }, { durationMs: 500, ring: 0 }],
  ['-b interval', { ringBuffer: ['interval:3600'] }, { intervalMs: 3_600_000 }],
  ['-b packets', { ringBuffer: ['packets:7'] }, { packets: 7 }],
  ['-b printname', { ringBuffer: ['packets:7', 'printname:a:b'] }, { printName: 'a:b' }],
  ['-b printname:stdout', { ringBuffer: ['packets:7', 'printname:stdout'] }, { printName: '-' }],
  ['-C', { fileSize: '2' }, { bytes: 2_000_001, ring: 0, names: { kind: 'counted', digits: 0 } }],
  ['-C k', { fileSize: '2k' }, { bytes: 2049 }],
  ['-C G', { fileSize: '1G' }, { bytes: 2 ** 30 + 1 }],
  ['-C -W', { fileSize: '1m', fileCount: '11' }, { ring: 11, mostFiles: 0, names: { kind: 'counted', digits: 2 } }],
  [
    '-G -W',
    { write: 'x-%s.pcap', rotateSeconds: '60', fileCount: '3' },
    { durationMs: 60_000, mostFiles: 3, ring: 0, names: { kind: 'timed', isCounted: false, digits: 0 } },
  ],
  [
    '-C -G -W',
    { rotateSeconds: '1', fileSize: '1', fileCount: '100' },
    { mostFiles: 0, ring: 0, names: { kind: 'timed', isCounted: true, digits: 2 } },
  ],
  ['-a files', { ringBuffer: ['packets:7'], autostop: ['files:9'] }, { mostFiles: 9 }],
  ['-z', { fileSize: '1', postrotateCommand: 'gzip' }, { command: 'gzip' }],
  ['a ring by the hour', { write: 'x-%H.pcap', rotateSeconds: '1h' }, { durationMs: 3_600_000 }],
];
for (const [name, raw, expected] of accepted)
  t.test(name, async (t) => t.match(checkOptions({ ...FILE, ...raw }).rotation, expected));

const refused: [string, RawCaptureOptions, RegExp][] = [
  ['a ring without a criterion', { ringBuffer: ['files:3'] }, /does not say when/],
  ['a list of names without a criterion', { ringBuffer: ['printname:x'] }, /does not say when/],
  ['an unknown criterion', { ringBuffer: ['size:3'] }, /-b: unknown criterion size:3/],
  ['a property of objects', { ringBuffer: ['toString:3'] }, /-b: unknown criterion/],
  ['a criterion twice', { ringBuffer: ['packets:3', 'packets:4'] }, /-b packets is given twice/],
  ['no packets', { ringBuffer: ['packets:0'] }, /-b packets: 0 is not a whole number/],
  ['too many files', { ringBuffer: ['packets:1', 'files:100000'] }, /from 1 to 99999 files/],
  ['no duration', { ringBuffer: ['duration:0'] }, /-b duration: 0 is no duration/],
  ['an empty name for names', { ringBuffer: ['packets:1', 'printname:'] }, /file name is empty/],
  ['-b with -C', { ringBuffer: ['packets:3'], fileSize: '1' }, /-b and -C exclude each other/],
  [
    '-b with -G and -W',
    { ringBuffer: ['packets:3'], rotateSeconds: '1', fileCount: '2' },
    /-b and -G, -W exclude each other/,
  ],
  ['-W alone', { fileCount: '2' }, /-W needs -C or -G/],
  ['-z alone', { postrotateCommand: 'gzip' }, /-z needs files/],
  ['-z of nothing', { fileSize: '1', postrotateCommand: '' }, /-z: the command is empty/],
  ['-a files alone', { autostop: ['files:2'] }, /-a files needs files/],
  ['-a filesize with -b', { ringBuffer: ['packets:3'], autostop: ['filesize:2'] }, /-a filesize ends a capture/],
  [
    'two ends',
    { write: '%s', rotateSeconds: '1', fileCount: '2', autostop: ['files:3'] },
    /-a files and -W with -G say the same/,
  ],
  ['standard output', { write: '-', ringBuffer: ['packets:3'] }, /cannot follow one another on standard output/],
  ['the same name each time', { write: 'x.pcap', rotateSeconds: '60' }, /two files in a row .* same name x\.pcap/],
  ['a name that is too coarse', { write: '%H%M', rotateSeconds: '30' }, /same name 0000/],
  ['an unknown conversion', { write: 'x-%Q', rotateSeconds: '60' }, /conversion %Q of strftime is not known/],
  ['a time in the directory', { write: '%Y/x-%s', rotateSeconds: '60' }, /not in that of its directory/],
  ['-C of no size', { fileSize: '1x' }, /-C: 1x is no size/],
  ['-C 0', { fileSize: '0' }, /-C: 0 is no size/],
  [
    'threads that count files',
    { ringBuffer: ['packets:3'], autostop: ['files:2'], threads: '2' },
    /exclude each other/,
  ],
];
for (const [name, raw, message] of refused) {
  t.test(`refused: ${name}`, async (t) => {
    t.throws(() => checkOptions({ ...FILE, ...raw }), { message, code: 'ERR_USAGE' });
  });
}

t.test('what is printed has no files', async (t) => {
  t.throws(() => checkOptions({ ringBuffer: ['packets:3'] }), { message: /cannot follow one another on the screen/ });
  t.throws(() => checkOptions({ minFree: '1G' }), { message: /--min-free is about the disk of a file/ });
});

t.test('--min-free', async (t) => {
  t.equal(checkOptions({ ...FILE, minFree: '2G' }).minFree, 2 ** 31);
  t.throws(() => checkOptions({ ...FILE, minFree: 'much' }), { message: /--min-free: much is no amount/ });
});
