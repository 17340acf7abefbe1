import t from 'tap';
import { portsOfAll } from '../../src/agent/ports.js';

const port = (id: number, name: string, rxQueues = 1, txQueues = rxQueues) => ({
  ...{ id, name, rxQueues, txQueues },
  ...{ driver: 'net_null', mac: '02:00:00:00:00:01', mtu: 1500, linkMbps: 0 },
});

t.test('a device of several processes counts once, with the most queues that one sees', async (t) => {
  const ports = portsOfAll([{ ports: [port(0, 'a', 1), port(1, 'b')] }, { ports: [port(0, 'a', 2, 3)] }]);
  t.same(ports, [port(0, 'a', 2, 3), port(1, 'b')]);
});

t.test('a device of one process alone is had as well, in the order of the ports', async (t) => {
  const names = portsOfAll([{ ports: [port(1, 'b')] }, { ports: [port(0, 'a'), port(2, 'c')] }]).map(
    ({ name }) => name,
  );
  t.same(names, ['a', 'b', 'c']);
});
