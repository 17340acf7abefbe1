/** Mirrors of ports: what is asked for, checked without an application. */
import t from 'tap';
import { parseAccepted } from '../../../src/mirror/agent/dangers.js';
import {
  type AgentPort,
  mirrorOrder,
  type PortMirrorRequest,
  parsePushedVlan,
  parseQueue,
  resolveMirror,
  SNAPLEN,
} from '../../../src/mirror/agent/request.js';

function port(id: number, changes: Partial<AgentPort> = {}): AgentPort {
  const name = `net_null${id}`;
  return { id, name, driver: 'net_null', mac: '', rxQueues: 1, txQueues: 2, mtu: 1500, linkMbps: 10_000, ...changes };
}

const PORTS = [port(0), port(1), port(2, { mtu: 1000, linkMbps: 0 }), port(3, { txQueues: 0 })];
const REQUEST: PortMirrorRequest = {
  source: '0',
  target: 'net_null1',
  tunnel: undefined,
  targetQueue: undefined,
  directions: ['rx'],
  snaplen: SNAPLEN.all,
  vlanTci: undefined,
  byReference: false,
  accepted: [],
  filter: undefined,
};
const LEASE = { ownerPid: 7, ownerStartTicks: 8, leaseSeconds: 9 };

t.test('ports are found by number and by name', async (t) => {
  const resolved = resolveMirror(REQUEST, PORTS);
  t.match(resolved, { source: { id: 0 }, target: { id: 1 }, warnings: [] });
  t.match(mirrorOrder(resolved, 5, LEASE), {
    ...LEASE,
    id: 5,
    rx: true,
    tx: false,
    sourceDevice: 'net_null0',
    targetPort: 1,
    targetQueue: 0xffff,
    pushesVlan: false,
    program: new Uint8Array(),
    filter: '',
  });
  const { warnings } = resolveMirror({ ...REQUEST, target: '2' }, PORTS);
  const silent = PORTS.map((port) => ({ ...port, mtu: port.id === 2 ? 0 : port.mtu }));
  t.match(
    resolveMirror({ ...REQUEST, target: '2' }, silent).warnings,
    [/link of port 2/],
    'a driver that does not tell',
  );
  t.match(warnings, [/takes frames of 1014 bytes: longer copies are cut/, /link of port 2 \(net_null2\) is down/]);
});

t.test('what cannot work is refused', async (t) => {
  const refused = (changes: Partial<PortMirrorRequest>): (() => unknown) => {
    return () => resolveMirror({ ...REQUEST, ...changes }, PORTS);
  };
  t.throws(refused({ target: '0' }), { message: /the target is the source/, exitCode: 2 });
  t.throws(refused({ source: '9' }), { code: 'ERR_PORT_UNKNOWN' });
  t.throws(refused({ targetQueue: 2 }), { code: 'ERR_QUEUE_RANGE', hint: 'it has 2, numbered from 0' });
  t.throws(refused({ target: '3' }), { code: 'ERR_PORT_UNSUITABLE' });
});

t.test('by reference: each danger by its name', async (t) => {
  const shared = { ...REQUEST, byReference: true };
  const refused = (changes: Partial<PortMirrorRequest>): (() => unknown) => {
    return () => resolveMirror({ ...shared, ...changes }, PORTS);
  };
  t.throws(refused({}), { code: 'ERR_MIRROR_UNSAFE', hint: /--accept rewrites,buffers,tags$/ });
  t.throws(refused({ accepted: ['buffers', 'tags'] }), { code: 'ERR_MIRROR_UNSAFE', hint: /--accept rewrites$/ });
  t.throws(refused({ accepted: ['rewrites', 'buffers', 'tags'], directions: ['rx', 'tx'] }), {
    code: 'ERR_MIRROR_UNSAFE',
    hint: /--accept offloads$/,
  });
  t.throws(refused({ accepted: ['buffers'], directions: ['tx'] }), {
    code: 'ERR_MIRROR_UNSAFE',
    hint: /--accept rewrites,offloads$/,
  });
  const accepted = ['rewrites', 'buffers', 'tags'];
  t.same(resolveMirror({ ...shared, accepted }, PORTS).warnings, []);
  const [length] = resolveMirror({ ...shared, accepted, target: '2' }, PORTS).warnings;
  t.match(length, /takes frames of 1014 bytes: longer packets are refused/, 'nothing is cut');
  t.throws(refused({ accepted: ['rewrites', 'buffers'], snaplen: 60 }), { message: /neither cut nor tagged/ });
  t.throws(refused({ accepted: ['rewrites', 'buffers'], vlanTci: 5 }), { message: /neither cut nor tagged/ });
  t.throws(refused({ byReference: false, accepted: ['rewrites'] }), { message: /--accept without --by-reference/ });
  t.same(parseAccepted('rewrites,buffers'), ['rewrites', 'buffers']);
  for (const text of ['', ',', 'rewrites,all']) t.throws(() => parseAccepted(text), { code: 'ERR_USAGE' }, text);
});

t.test('tags and queues as they are typed', async (t) => {
  t.equal(parsePushedVlan('100'), 100);
  t.equal(parsePushedVlan('4094:7'), 0xeffe);
  for (const text of ['', '4095', '100:8', '1e2', '-1', '100:', '10000']) {
    t.throws(() => parsePushedVlan(text), { code: 'ERR_USAGE' }, text);
  }
  t.equal(parseQueue('12'), 12);
  for (const text of ['', '-1', 'last', '70000']) t.throws(() => parseQueue(text), { code: 'ERR_USAGE' }, text);
});

t.test('a long filter is told of in short, in whole characters', async (t) => {
  const filter = { expression: `host ä${'é'.repeat(200)}` } as NonNullable<PortMirrorRequest['filter']>;
  const { filter: text } = mirrorOrder(resolveMirror({ ...REQUEST, filter }, PORTS), 1, LEASE);
  t.ok(Buffer.byteLength(text) <= 255);
  t.match(text, /^host äé+\.\.\.$/);
});
