import t from 'tap';
import { INTERFACE } from '../../src/sinks/interface.js';
import { TAP } from '../../src/sinks/tap.js';
import { binding } from '../helpers/native.js';

t.test('which names are interfaces', async (t) => {
  const { isInterface } = binding();
  t.ok(isInterface('lo'));
  for (const name of ['./lo', 'lo:1', 'dpcap-nonesuch', '', `${'x'.repeat(200)}`]) t.notOk(isInterface(name), name);
});

t.test('one that is not there', async (t) => {
  t.throws(() => INTERFACE.open({ kind: 'interface', name: 'dpcap-none' }, () => false), {
    code: 'ERR_SINK_OPEN',
    errno: /ENODEV|EPERM/,
    subject: 'dpcap-none',
    message: /cannot send to the interface dpcap-none/,
    hint: /ip link shows|CAP_NET_RAW/,
  });
});

t.test('one that goes', async (t) => {
  const tap = { kind: 'tap' as const, rxName: 'a', txName: 'b', netns: '', mtu: 1500, maxRate: 0, queues: 1 };
  t.match(INTERFACE.failed({ kind: 'interface', name: 'eth9' }, 'ENXIO'), {
    code: 'ERR_SINK_WRITE',
    message: /interface eth9 is gone/,
    errno: 'ENXIO',
  });
  t.match(TAP.failed(tap, 'EBADFD'), { message: /interface a or b is gone/ });
  t.match(TAP.failed({ ...tap, txName: 'a' }, 'EBADFD'), { message: /interface a is gone/, subject: 'a' });
});
