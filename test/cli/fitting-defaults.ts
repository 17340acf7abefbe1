/** One configuration file for all captures: what it says of files is not about those that print, and what is typed holds. */
import { join } from 'node:path';
import t from 'tap';
import { checkOptions } from '../../src/cli/capture-options.js';
import { fittingDefaults } from '../../src/cli/fitting-defaults.js';
import { inOwnWords } from '../../src/cli/letters/meanings.js';
import { UsageError } from '../../src/errors.js';

type Options = Parameters<typeof fittingDefaults>[0];

/** What is left of `defaults`, and passes all checks, beside what was typed. */
function fitting(typed: Options, defaults: Options): Options {
  const isTyped = (name: string): boolean => Object.hasOwn(typed, name);
  const sourceOf = (name: string): string | undefined => (Object.hasOwn(defaults, name) ? 'config' : undefined);
  const command = { getOptionValueSource: (name: string) => (isTyped(name) ? 'cli' : sourceOf(name)) };
  const left = fittingDefaults({ ...defaults, ...typed }, command);
  checkOptions(inOwnWords(left));
  return Object.fromEntries(Object.entries(left).filter(([name, value]) => !isTyped(name) && value !== undefined));
}

const OF_FILES: Options = {
  format: 'pcapng',
  compress: 'zstd',
  captureComment: ['of this machine'],
  minFree: '1G',
  ringBuffer: ['filesize:1000'],
  postrotateCommand: 'true',
  timePrecision: 'micro',
};
const OTHERS: Options = { snapshotLength: '128', stats: 'none' };
const TUNNEL = 'erspan://192.0.2.9?id=5';

t.test('what is about files is left out where there is none', async (t) => {
  const all = { ...OF_FILES, ...OTHERS };
  const micro = { timePrecision: 'micro' };
  t.same(fitting({}, all), { ...OTHERS, ...micro }, 'printed');
  t.same(fitting({ explain: true }, all), { ...OTHERS, ...micro });
  t.same(fitting({ read: 'x.pcap', count: true }, all), { ...OTHERS, ...micro });
  t.same(fitting({ write: TUNNEL }, { ...all, threads: '2', autostop: ['filesize:5'] }), { ...OTHERS, autostop: [] });
  t.same(fitting({ write: 'x' }, all), all);
  const { format, compress, captureComment } = OF_FILES;
  const ofBytes = { ...OTHERS, ...micro, format, compress, captureComment };
  const fifo = '/dev/null';
  for (const write of ['-', '/dev/stdout', fifo]) t.same(fitting({ write }, all), ofBytes, write);
  t.notOk('captureComment' in fitting({ write: 'x', format: 'pcap' }, all), 'pcap has no comments');
  t.notOk('captureComment' in fitting({ write: 'x.pcap' }, { captureComment: ['a'] }));
  const dir = t.testdir({ x: '', loop: t.fixture('symlink', 'loop') });
  for (const name of ['x', 'loop']) t.match(fitting({ write: join(dir, name) }, all), all, name);
});

t.test('what is typed holds', async (t) => {
  t.same(fitting({ nano: 1 }, { timePrecision: 'micro' }), {});
  t.same(fitting({ write: 'x', timeStampPrecision: 'nano' }, { micro: 1 }), {});
  t.same(fitting({ write: 'x', fileSize: '1' }, { ringBuffer: ['filesize:1'], fileCount: '3' }), { fileCount: '3' });
  t.same(fitting({ write: 'x', ringBuffer: ['filesize:1'] }, { fileSize: '1', fileCount: '3' }), {});
  t.same(fitting({ packetCount: '5' }, { threads: '2', autostop: ['packets:9', 'duration:9'] }), {
    autostop: ['duration:9'],
  });
  t.same(fitting({ autostop: ['packets:9'] }, { threads: '2', packetCount: '5' }), {});
  t.same(fitting({ write: 'x', ringBuffer: ['filesize:1'] }, { autostop: ['filesize:9', 'files:3'] }), {
    autostop: ['files:3'],
  });
  t.same(fitting({ write: 'x' }, { fileCount: '3', postrotateCommand: 'true', autostop: ['files:3'] }), {
    autostop: [],
  });
  t.same(fitting({ write: 'x' }, { skip: '3', count: true }), {});
  t.same(fitting({ count: true, read: 'x' }, { write: 'y' }), {});
});

t.test('what is wrong in itself is told', async (t) => {
  t.throws(() => fitting({}, { snapshotLength: 'all' }), UsageError);
  t.throws(() => fitting({ write: 'x' }, { format: 'pcap', captureComment: ['a'], minFree: 'much' }), UsageError);
  t.throws(
    () => fitting({ format: 'pcapng' }, {}),
    { message: /-F pcapng is the format of a file/ },
    'as is what is typed',
  );
});
