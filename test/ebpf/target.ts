import t from 'tap';
import { named } from '../../src/ebpf/target.js';
import type { PortInfo } from '../../src/primary/telemetry.js';

const TOLD: PortInfo = {
  id: 1,
  name: 'net_null1',
  driver: 'net_null',
  mac: undefined,
  mtu: 1500,
  rxQueues: undefined,
  txQueues: 2,
  promiscuous: true,
  started: true,
  link: 'up',
  speedMbps: undefined,
};

t.test('telemetry has the names, the table the ports that it does not tell', async (t) => {
  const polled = [
    { id: 0, rxQueues: 1, txQueues: 1 },
    { id: 1, rxQueues: 4, txQueues: 4 },
  ];
  t.match(named(polled, [TOLD]), [
    { id: 0, name: 'port0', rxQueues: 1, mtu: undefined },
    { id: 1, name: 'net_null1', rxQueues: 4, txQueues: 2, mtu: 1500 },
  ]);
  t.match(named([], [TOLD]), [{ id: 1, name: 'net_null1' }], 'a port that is stopped');
  t.same(named([], []), []);
});
