import { appendFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { captureToolZones, findSecondaries } from '../../src/primary/secondaries.js';
import { makeProcess } from './helpers/fake-host.js';

t.test('the living owners of the sockets', async (t) => {
  const sockets = ['', '_7_12ab', '_8_12ab', '_9_ff', '_x_1', '_5_aa'].map((end) => [`mp_socket${end}`, '']);
  const top = t.testdir({ run: Object.fromEntries(sockets), proc: {} });
  const [dir, procDir] = [join(top, 'run'), join(top, 'proc')];
  makeProcess(procDir, 7, ['dpdk-dumpcap', '-i', '0']);
  makeProcess(procDir, 8, ['node']);
  makeProcess(procDir, 5, ['other']);
  writeFileSync(
    join(procDir, '8/maps'),
    '1000-2000 r-xp 00000000 fe:00 12 /opt/x/build/Release/dpcap_pdump.dpdk23.node\n',
  );
  writeFileSync(join(procDir, '5/maps'), '1000-2000 r-xp 00000000 fe:00 13 /usr/lib/librte_eal.so.26.0\n');
  t.match(findSecondaries(dir, procDir), [
    { pid: 5, program: 'other', captures: false, ours: false, lacksPdump: true },
    { pid: 7, program: 'dpdk-dumpcap', captures: true, ours: false },
    { pid: 8, program: 'node', captures: true, ours: true },
  ]);
  const pdump = '3000-4000 r-xp 00000000 fe:00 14 /usr/lib/librte_pdump.so.26.0\n';
  appendFileSync(join(procDir, '5/maps'), pdump);
  t.match(findSecondaries(dir, procDir), [{ pid: 5, lacksPdump: false }, { lacksPdump: false }, {}]);
  t.same(findSecondaries('/nonexistent', procDir), []);
});

t.test('the pid in the name of a socket is that of a PID namespace', async (t) => {
  const top = t.testdir({ run: { mp_socket_7_1: '', config: '' }, proc: {} });
  const [dir, procDir] = [join(top, 'run'), join(top, 'proc')];
  const maps = (pid: number, inode: number): void =>
    writeFileSync(join(procDir, `${pid}/maps`), `1000-2000 rw-s 00000000 fe:00 ${inode} /run/dpdk/x/config\n`);
  const { ino } = statSync(join(dir, 'config'));
  makeProcess(procDir, 7, ['bystander']);
  maps(7, ino + 1);
  t.same(findSecondaries(dir, procDir), [], 'one with that pid here does not share the memory');
  makeProcess(procDir, 700, ['contained'], 7);
  maps(700, ino);
  makeProcess(procDir, 800, ['of another primary'], 7);
  maps(800, ino + 2);
  t.match(findSecondaries(dir, procDir), [{ pid: 700, program: 'contained' }]);
});

const ZONES = [
  'MP_capture_7',
  'RG_MP_capture_7',
  'MP_capture_7_0',
  'RG_dumpcap-7',
  'RG_rx_ring_0',
  'MP_pdump_pool_0_1',
];
t.same(captureToolZones([...ZONES, 'MP_mb_pool_0', 'rte_pdump_stats', 'dumpcap']), ZONES);
