import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { findNic, kernelInterfaces, vfdAbility } from '../../src/mirror/nic.js';
import { makeNic } from './helpers/controller.js';

const sysfs = t.testdir();
const PCI = '0000:08:00.0';

t.equal(findNic(PCI, sysfs), undefined);
t.equal(findNic(undefined, sysfs), undefined);
for (const nic of ['ixgbe', 'i40e', 'mlx5', 'bnxt']) {
  makeNic(sysfs, PCI, nic);
  t.match(findNic(PCI, sysfs), { driver: nic });
}
const device = (id: string): void => {
  makeNic(sysfs, PCI, 'ixgbe');
  writeFileSync(join(sysfs, 'bus/pci/devices', PCI, 'device'), id);
};
device('0x37d0');
t.same(findNic(PCI, sysfs), { driver: 'i40e', model: 'X722' });
device('0x1592');
t.match(findNic(PCI, sysfs), { driver: 'ice' });
device('0x100e');
t.equal(findNic(PCI, sysfs), undefined, 'an e1000 is none of them');

t.same(kernelInterfaces(PCI, sysfs), []);
mkdirSync(join(sysfs, 'bus/pci/devices', PCI, 'net/eth7'), { recursive: true });
t.same(kernelInterfaces(PCI, sysfs), ['eth7']);

t.same(vfdAbility({ driver: 'i40e', model: 'X722' }).byCommand, ['in', 'out']);
t.match(vfdAbility({ driver: 'i40e', model: 'X722' }).notes, [/"all" is refused/, /one mirror for each VF/]);
t.match(vfdAbility({ driver: 'ixgbe', model: undefined }).notes, [/whole PF/, /4 mirror rules/]);
t.match(vfdAbility({ driver: 'mlx5', model: undefined }), { byCommand: [], byConfig: ['in', 'out', 'all'] });
t.match(vfdAbility({ driver: 'ice', model: undefined }), { byCommand: [], byConfig: [] });
t.match(vfdAbility(undefined), { byCommand: ['in', 'out', 'all'], notes: [/not recognised/] });
