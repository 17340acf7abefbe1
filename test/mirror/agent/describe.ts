/** What is said about mirrors of ports. */
import t from 'tap';
import { mirrorJson, mirrorLines } from '../../../src/mirror/agent/describe.js';
import type { MirrorStatus } from '../../../src/native/mirror-binding.js';

const STATUS: MirrorStatus = {
  id: 0x1f,
  state: 'on',
  reason: null,
  ownerPid: 12,
  ownerStartTicks: 34,
  leaseLeftSeconds: 9,
  rx: true,
  tx: true,
  snaplen: 60,
  byReference: false,
  pushedVlanTci: 0xa064,
  sourcePort: 0,
  sourceDevice: 'net_null0',
  targetPort: 1,
  targetDevice: 'evil\x1b[2J',
  targetQueue: 3,
  lanes: 2,
  filter: 'udp',
  counters: {
    filtered: 1n,
    matched: 10n,
    copied: 9n,
    sent: 6n,
    refused: 2n,
    nombuf: 1n,
    contended: 1n,
    missed: 0n,
    cut: 0n,
  },
};

t.test('lines for people, without control codes', async (t) => {
  t.same(mirrorLines(STATUS), [
    'mirror 0000001f: port 0 (net_null0) rx+tx to port 1 (evil?[2J), queue 3; the first 60 bytes; VLAN 100 pushed; only udp; on, of process 12, ends in 9 s unless it is renewed',
    '  matched 10, copied 9, sent 6, refused 2, nombuf 1, contended 1, missed 0, filtered 1, cut 0',
  ]);
  const [ended] = mirrorLines({ ...STATUS, state: 'ended', reason: 'queue-used' });
  t.match(ended, /; ended: the application began to send on the target's queue$/);
});

t.test('a document for programs', async (t) => {
  t.match(JSON.parse(JSON.stringify(mirrorJson(STATUS))), {
    id: '0000001f',
    direction: 'both',
    owner: { pid: 12, startTicks: 34 },
    pushedVlan: { id: 100, priority: 5 },
    counters: { matched: 10, sent: 6 },
  });
  t.match(mirrorJson({ ...STATUS, tx: false, pushedVlanTci: null }), { direction: 'rx', pushedVlan: null });
});
