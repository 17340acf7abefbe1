import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { interfacesOf, virtioUserPort } from '../../src/forward2kni/kernel-interfaces.js';

const PID = 7;
const PORTS = [
  { id: 0, name: '0000:01:00.0', driver: 'net_ixgbe', mac: '02:00:00:00:00:01' },
  { id: 1, name: 'virtio_user0', driver: 'net_virtio_user', mac: '02:00:00:00:00:01' },
  { id: 2, name: 'virtio_user1', driver: 'net_virtio_user', mac: '02:00:00:00:00:02' },
];

/** A process with these lines in its descriptors' files, and interfaces with these addresses. */
function machine(t: Test, descriptors: string[], addresses: Record<string, string>) {
  const [procDir, netDir] = [join(t.testdir(), 'proc'), join(t.testdirName, 'net')];
  mkdirSync(join(procDir, String(PID), 'fdinfo'), { recursive: true });
  for (const [fd, line] of descriptors.entries())
    writeFileSync(join(procDir, String(PID), 'fdinfo', String(fd)), `pos:\t0\nflags:\t02\n${line}`);
  for (const [name, address] of Object.entries(addresses)) {
    mkdirSync(join(netDir, name), { recursive: true });
    writeFileSync(join(netDir, name, 'address'), `${address}\n`);
  }
  return { procDir, netDir };
}

t.test('the .kni interfaces of a DPVS 1.10', async (t) => {
  const descriptors = ['', 'iff:\tdpdk0.kni\n', 'iff:\tdpdk0.kni\n', 'iff:\tdpdk1.kni\n', 'eventfd-count: 0\n'];
  const addresses = { 'dpdk0.kni': '02:00:00:00:00:01', 'dpdk1.kni': '02:00:00:00:00:02', eth0: '02:00:00:00:00:02' };
  const where = machine(t, descriptors, addresses);
  t.same(interfacesOf(PID, where.procDir), ['dpdk0.kni', 'dpdk1.kni']);
  t.match(virtioUserPort('dpdk0.kni', PORTS, PID, where), { id: 1 }, 'the NIC has the same address, and is none');
  t.match(virtioUserPort('dpdk1.kni', PORTS, PID, where), { id: 2 });
  t.equal(virtioUserPort('eth0', PORTS, PID, where), undefined, 'an interface that is not its');
});

t.test('an interface that is another driver’s, a process that may not be looked at', async (t) => {
  const where = machine(t, ['iff:\ttap0\n'], { tap0: '02:00:00:00:00:09' });
  t.equal(virtioUserPort('tap0', PORTS, PID, where), undefined);
  t.same(interfacesOf(PID + 1, where.procDir), []);
});
