/** What needs no application works where no library of DPDK is installed. */
import { join } from 'node:path';
import t from 'tap';
import { FakeDpvs } from '../dpvs/helpers/fake-dpvs.js';
import { tempDir } from '../dpvs/helpers/temp-dir.js';
import { requirements, runDpcapWithoutDpdk } from '../harness/index.js';
import { ownDir } from '../helpers/own-dir.js';
import { setUpController } from '../mirror/helpers/controller.js';

const skip = requirements({ tools: ['unshare'] });

t.test('there is none', { skip }, async (t) => {
  t.match((await runDpcapWithoutDpdk(['doctor'])).stdout, /^warn +DPDK .*no/m);
});

t.test('filters', { skip }, async (t) => {
  t.match(await runDpcapWithoutDpdk(['filters']), { code: 0, stdout: /^dns +DNS over UDP/m, stderr: '' });
  t.match(await runDpcapWithoutDpdk(['filters', 'show', 'dns']), { code: 0, stdout: /port 53/ });
  t.match(await runDpcapWithoutDpdk(['--explain', 'tcp', 'port', '443']), { code: 0 });
});

t.test('mirror', { skip }, async (t) => {
  const { vfd } = setUpController(ownDir(t));
  t.teardown(() => vfd.stop());
  const mirror = (words: string) =>
    runDpcapWithoutDpdk(['mirror', ...words.split(' '), '--via', 'vfd', '--config', vfd.cfg]);
  t.match(await mirror('capabilities'), { code: 0, stderr: '' });
  t.match(await mirror('set --pf 0 --vf 1 --direction all --target 3'), { code: 0 });
  t.same(vfd.mirrored(), ['0/1 all 3']);
  t.match(await mirror('list'), { code: 0, stdout: /VF 1/ });
  t.match(await mirror('clear --pf 0 --vf 1'), { code: 0 });
  t.same(vfd.mirrored(), []);
});

t.test("DPVS's switch", { skip }, async (t) => {
  const path = join(tempDir(t), 'ipc');
  const fake = await FakeDpvs.start({ dialect: 'C', kniLcore: 3, path });
  t.teardown(() => fake.stop());
  const forward = (action: string) => runDpcapWithoutDpdk(['forward2kni', 'dpdk0', action, '--ipc-file', path]);
  t.match(await forward('on'), { code: 0, stdout: /^dpdk0: forward2kni on/ });
  t.equal(fake.ports[0]?.forward2kni, true);
  t.match(await forward('status'), { code: 0, stdout: /forward2kni on/ });
  t.match(await forward('off'), { code: 0, stdout: /forward2kni off/ });
  t.equal(fake.ports[0]?.forward2kni, false);
});
