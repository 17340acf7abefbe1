import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { chooseController } from '../../../src/mirror/choose.js';
import { readMainConfig } from '../../../src/mirror/vfd/config/main-config.js';
import { parseVfConfig, readVfConfigs } from '../../../src/mirror/vfd/config/vf-config.js';
import { locateVfd } from '../../../src/mirror/vfd/locate.js';

const dir = t.testdir();
const cfg = join(dir, 'vfd.cfg');

t.equal(readMainConfig(join(dir, 'none')), undefined);
t.throws(() => locateVfd({ config: join(dir, 'none') }), { code: 'ERR_USAGE' });
writeFileSync(
  cfg,
  '{ "fifo": "/x/request", "pciids": [ "0000:08:00.0", { "id": "08:00.1", "enable_loopback": true, }, 7, ], }',
);
t.match(readMainConfig(cfg), {
  fifo: '/x/request',
  configDir: '/var/lib/vfd/config',
  logDir: '/var/log/vfd',
  pfs: [
    { pci: '0000:08:00.0', loopback: false },
    { pci: '0000:08:00.1', loopback: true },
  ],
});
t.match(locateVfd({ config: cfg }), { fifo: '/x/request', exists: false });
t.match(locateVfd({ config: cfg, fifo: '/y' }), { fifo: '/y' }, 'the option wins');
t.match(locateVfd({ fifo: 'here/y' }).fifo, join(process.cwd(), 'here/y'), 'absolute: VFd and recover run elsewhere');
writeFileSync(cfg, '{ "fifo": "request", "pciids": [] }');
t.throws(() => locateVfd({ config: cfg }), { code: 'ERR_USAGE', hint: /--fifo/ });
writeFileSync(cfg, '{ "pciids": [] }');
t.match(locateVfd({ config: cfg }).fifo, /^\/var\/lib\/vfd\/(pipes\/)?request$/);
for (const bad of ['', 'hello', '[]', '{ "fifo": ']) {
  writeFileSync(cfg, bad);
  t.throws(() => readMainConfig(cfg), { code: 'ERR_SYSTEM', subject: cfg }, bad);
}
t.throws(() => readMainConfig(dir), { code: 'ERR_SYSTEM', errno: 'EISDIR' });

t.equal(chooseController({ via: 'plan' }).kind, 'plan');
t.equal(chooseController({ fifo: '/x' }).kind, 'vfd');

t.equal(readVfConfigs(join(dir, 'config')), undefined, 'not visible');
mkdirSync(join(dir, 'config_live'));
writeFileSync(
  join(dir, 'config_live', 'a.json'),
  '{ "name": "a", "pciid": "0000:08:00.0", "vfid": 1, "mac": "02::1", "vlans": [ 5, ], }',
);
writeFileSync(join(dir, 'config_live', 'b.json'), 'rubbish');
t.match(readVfConfigs(join(dir, 'config/')), [
  { file: 'a.json', name: 'a', vf: 1, vlans: [5], macs: ['02::1'], hasMirror: false },
]);
t.match(parseVfConfig('{ "pciid": "x", "vfid": 1, "allow_un_ucast": true, "mirror": {} }', 'f'), {
  name: 'unnamed',
  pfPci: 'x',
  allowsUnknownUnicast: true,
  hasMirror: true,
});
t.throws(() => parseVfConfig('{ "pciid": "x" }', 'f'));
