import t from 'tap';
import { Notices } from '../../src/engine/capture-end.js';
import type { NativeStats } from '../../src/native/capture-binding.js';
import { parseTunnelUrl } from '../../src/sinks/tunnel/url.js';
import { IDLE } from './helpers/fake-captures.js';
import { lane } from './helpers/lane.js';

t.test('what an output has to say is said once', async (t) => {
  const notices = new Notices({ output: parseTunnelUrl('erspan://192.0.2.9?id=5') });
  t.same(notices.of(IDLE), []);
  t.match(notices.of({ ...IDLE, sinkNews: ['cut', 'EHOSTUNREACH'] }), [/are cut/, /EHOSTUNREACH/]);
  t.match(notices.of({ ...IDLE, sinkNews: ['cut', 'rate', 'EHOSTUNREACH'] }), [/more than/]);
  t.same(notices.of({ ...IDLE, sinkNews: ['cut', 'rate', 'EHOSTUNREACH'] }), []);
});

t.test('a compressor that is too slow is told of with what is quicker', async (t) => {
  const output = { kind: 'file', path: 'x.zst' } as const;
  const slow = { ...IDLE, sinkNews: ['slow'] } satisfies NativeStats;
  const notices = new Notices({ output, compression: { codec: 'zstd', level: 19, threads: 1 } });
  t.match(notices.of(slow), [/zstd:19 compresses.*sinkdrop.*--compress zstd:1, --compress lz4/]);
  t.same(notices.of(slow), []);
  t.match(new Notices({ output, compression: { codec: 'lz4', level: 1, threads: 1 } }).of(slow), [
    /sinkdrop; a filter or -s/,
  ]);
});

t.test('copies of an agent in ordinary pages are told of once', async (t) => {
  const notices = new Notices({ output: { kind: 'device', path: '/dev/null' } });
  t.match(notices.of({ ...IDLE, smallPages: true }), [/ordinary pages.*-B.*HugePages_Free/]);
  t.same(notices.of({ ...IDLE, smallPages: true }), []);
});

t.test('an output that has nothing to say says nothing', async (t) => {
  const notices = new Notices({ output: { kind: 'device', path: '/dev/null' } });
  t.same(notices.of({ ...IDLE, sinkNews: ['EIO'] }), []);
  t.match(notices.of({ ...IDLE, lanes: [lane({ nombuf: 1n })] }), [/cannot be copied although mbufs are free/]);
});
