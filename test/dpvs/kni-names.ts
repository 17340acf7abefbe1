import t from 'tap';
import { configuredKniNames, kniName, readKniNames } from '../../src/dpvs/kni-names.js';

const CONFIG = `! comment kni_name not.this
netif_defs {
    <init> pktpool_size     8191
    <init> device dpdk0 {
        rx { queue_number 1 }
        ! kni_name           commented
        kni_name             front
    }
    <init> device dpdk1 {
        mtu 1500    # kni_name neither
        kni_name }
    <init> bonding bond0 { mode 0
        slave dpdk1
        kni_name back.kni
    }
    kni_name nobody
}
`;
t.same(
  [...configuredKniNames(CONFIG)],
  [
    ['dpdk0', 'front'],
    ['bond0', 'back.kni'],
  ],
);
t.same([...configuredKniNames('}}} kni_name { device')], []);
const dir = t.testdir({ 'dpdk1.kni': {}, 'dpvs.conf': CONFIG });
const names = readKniNames(`${dir}/dpvs.conf`);
t.equal(kniName('dpdk0', names, dir), 'front', 'as configured');
t.equal(kniName('dpdk1', names, dir), 'dpdk1.kni', 'seen in the kernel');
t.equal(kniName('dpdk2', names, dir), undefined, 'not known');
t.same([...readKniNames(`${dir}/none`)], []);
