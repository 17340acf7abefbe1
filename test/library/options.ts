/** What a program may ask for, and what contradicts itself. */
import t from 'tap';
import { checkOptions } from '../../src/library/check-options.js';
import type { CaptureOptions } from '../../src/library/options.js';

const FILE = { to: { file: 'x.pcapng' } };

t.test('what goes together', async (t) => {
  const fitting: CaptureOptions[] = [
    FILE,
    { packets: true },
    { packets: { memoryBytes: 2 ** 20 }, snaplen: 64 },
    { ...FILE, rotation: { durationMs: 10_000, ring: 6 }, compress: { codec: 'zstd' }, minFreeBytes: 1e9 },
    { ...FILE, comments: ['why'] },
    { to: { fd: 1 }, format: 'pcapng', comments: ['why'] },
    { to: { file: 'x.pcap' }, signal: new AbortController().signal },
    { packets: true, onNotice: t.comment },
  ];
  for (const options of fitting) t.same(checkOptions(options), options);
});

t.test('what does not', async (t) => {
  const wrong: [CaptureOptions, subject: string, message: RegExp][] = [
    [{}, 'to', /packets go nowhere/],
    [{ ...FILE, packets: true }, 'packets', /go to `to` already/],
    [{ packets: true, format: 'pcap' }, 'format', /it is about a file/],
    [{ packets: true, nanoseconds: false }, 'nanoseconds', /it is about a file/],
    [{ packets: { memoryBytes: 5 } }, 'packets', /./],
    [{ packets: true, rotation: { packets: 5 } }, 'rotation', /made from the name of one/],
    [{ to: { fd: 1 }, rotation: { packets: 5 } }, 'rotation', /made from the name of one/],
    [{ ...FILE, rotation: { ring: 3 } }, 'rotation', /when the next file begins/],
    [{ ...FILE, rotation: { bytes: 0 } }, 'rotation.bytes', /./],
    [{ ...FILE, rotation: { packets: 5 }, byteLimit: 7 }, 'byteLimit', /with one file/],
    [{ to: { fd: 1 }, minFreeBytes: 7 }, 'minFreeBytes', /disk of a file/],
    [{ to: { file: 'x.pcap' }, comments: ['why'] }, 'comments', /no place/],
    [{ ...FILE, comments: ['x'.repeat(70_000)] }, 'comments', /more than 65532 bytes/],
    [{ ...FILE, signal: {} as AbortSignal }, 'signal', /./],
    [{ ...FILE, onNotice: 'told' as unknown as () => void }, 'onNotice', /./],
    [{ ...FILE, snapLen: 60 } as CaptureOptions, 'the options', /./],
    [undefined as unknown as CaptureOptions, '', /the options/],
  ];
  for (const [options, subject, message] of wrong) {
    const seen = { code: 'ERR_USAGE', message, ...(subject === 'the options' ? {} : { subject }) };
    t.throws(() => checkOptions(options), seen, JSON.stringify(options));
  }
});
