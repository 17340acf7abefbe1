import fc from 'fast-check';
import t from 'tap';
import { encodeRequest, type VfdRequest } from '../../../../src/mirror/vfd/protocol/request.js';
import { checkRequest } from '../../../../src/mirror/vfd/protocol/request-check.js';

const reply = { fifo: '/run/x/answer.0', id: 'dpcap-1' };
const check = (request: VfdRequest, to = reply): void => checkRequest(request, encodeRequest(request, to));

const GOOD: VfdRequest[] = [
  { action: 'ping' },
  { action: 'dump' },
  { action: 'show', resource: 'mirrors' },
  { action: 'show', resource: '12' },
  { action: 'mirror', resource: '0 1 all 3' },
  { action: 'mirror', resource: '0 1 off' },
  { action: 'verbose', loglevel: 0 },
  { action: 'add', filename: '/etc/a b.json' },
];
for (const request of GOOD) t.doesNotThrow(() => check(request), JSON.stringify(request));

const BAD: [string, VfdRequest][] = [
  ['without file name VFd crashes', { action: 'add', filename: '' }],
  ['without file name VFd crashes', { action: 'delete', filename: '' }],
  ['relative', { action: 'add', filename: 'guest.json' }],
  ['too long', { action: 'add', filename: `/${'x'.repeat(9000)}` }],
  ['over one atomic write', { action: 'add', filename: `/${'x'.repeat(4096)}` }],
  ['an empty line inside', { action: 'add', filename: '/a\n\nb' }],
  ['a quote', { action: 'add', filename: '/a", "r_fifo": "/etc/passwd' }],
  ['a backslash', { action: 'add', filename: '/a\\b' }],
  ['the words of off', { action: 'mirror', resource: '0 1 Off 3' }],
  ['silently off', { action: 'mirror', resource: '0 1 both 3' }],
  ['no target', { action: 'mirror', resource: '0 1 in' }],
  ['target is text', { action: 'mirror', resource: '0 1 in x' }],
  ['target is the source', { action: 'mirror', resource: '0 1 in 1' }],
  ['target is the source', { action: 'mirror', resource: '0 01 in 1' }],
  ['out of range', { action: 'mirror', resource: '0 1 in 254' }],
  ['nothing to show', { action: 'show', resource: 'everything' }],
  ['negative', { action: 'verbose', loglevel: -1 }],
];
for (const [why, request] of BAD) t.throws(() => check(request), { code: 'ERR_MIRROR_UNSAFE' }, why);
t.throws(() => check({ action: 'ping' }, { ...reply, fifo: '/a"b' }), { code: 'ERR_MIRROR_UNSAFE' }, 'in the FIFO');

/** What VFd would make of it, not what the guard thinks. */
t.test('whatever gets past means what it says', async (t) => {
  const filename = fc.oneof(
    fc.string(),
    fc.string({ unit: 'binary' }).map((text) => `/${text}`),
  );
  const resource = fc.oneof(
    fc.string(),
    fc.constantFrom('0 1 in 3', '0 1 off', '1 2 out 300', '0 3 all 3', '0 1 on 3'),
  );
  const request = fc.oneof(
    filename.map((name) => ({ action: 'add' as const, filename: name })),
    filename.map((name) => ({ action: 'delete' as const, filename: name })),
    resource.map((text) => ({ action: 'mirror' as const, resource: text })),
  );
  fc.assert(
    fc.property(request, (one) => {
      const bytes = encodeRequest(one, reply);
      try {
        checkRequest(one, bytes);
      } catch {
        return true;
      }
      const text = bytes.toString();
      const { action, params } = JSON.parse(text) as { action: string; params: Record<string, string> };
      const isFramed = bytes.length <= 4096 && text.indexOf('\n\n') === text.length - 2;
      if (action !== 'mirror') return isFramed && Boolean(params.filename) && !/["\\]/.test(params.filename ?? '');
      return isFramed && /^\d+ \d+ (off|(in|out|all) \d+)$/.test(params.resource ?? '');
    }),
    { numRuns: 500 },
  );
  t.pass('500 requests');
});
