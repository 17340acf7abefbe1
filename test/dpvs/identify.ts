import { mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import {
  configPath,
  dpvsBehind,
  dpvsOption,
  isDpvs,
  isSocket,
  socketCandidates,
  socketIdentity,
} from '../../src/dpvs/identify.js';
import type { Primary } from '../../src/primary/discover.js';
import { FakeDpvs } from './helpers/fake-dpvs.js';
import { tempDir } from './helpers/temp-dir.js';

const primary = (program: string, commandLine: string[] = [program]): Primary =>
  ({ filePrefix: 'rte', state: 'running', process: { program, commandLine } }) as unknown as Primary;

for (const name of ['dpvs', 'dpvs-1.10.2', 'dpvs_new']) t.equal(isDpvs(primary(name)), true, name);
for (const name of ['dpdk-testpmd', 'dpvsadm', '']) t.equal(isDpvs(primary(name)), false, name);
t.equal(isDpvs({ ...primary('x'), process: undefined }), false);

const path = (words: string[]): string | undefined => dpvsOption(primary('dpvs', words), '-x', '--ipc-file');
t.equal(path(['dpvs', '-x', '/run/a', '--', '-l', '0']), '/run/a');
t.equal(path(['dpvs', '--ipc-file=/run/b']), '/run/b');
t.equal(path(['dpvs', '--ipc-file', '/run/c']), '/run/c');
t.equal(path(['dpvs', '-x/run/d']), '/run/d');
t.equal(path(['dpvs', '--', '-x', '/run/e']), undefined, "EAL's are not DPVS's");

t.same(socketCandidates({ ipcFile: '/a', env: { DPVS_IPC_FILE: '/b' } }), ['/a']);
t.same(socketCandidates({ env: { DPVS_IPC_FILE: '/b' } }), ['/b']);
t.same(socketCandidates({ env: {}, primary: primary('dpvs', ['dpvs', '-x', '/c']) }), ['/c']);
t.same(socketCandidates({ env: {} }), ['/var/run/dpvs.ipc', '/var/run/dpvs_ctrl']);
t.throws(() => socketCandidates({ ipcFile: '' }), { code: 'ERR_USAGE' });
t.throws(() => socketCandidates({ ipcFile: 'x'.repeat(108) }), { code: 'ERR_USAGE', message: /too long/ });
t.same(socketCandidates({ ipcFile: `/${'x'.repeat(106)}` }).length, 1);
t.same(socketCandidates({ ipcFile: 'ipc' }), [join(process.cwd(), 'ipc')], 'for a recover from elsewhere');

t.test('each life of a DPVS has its own name', async (t) => {
  const ipc = join(tempDir(t), 'ipc');
  t.equal(socketIdentity(ipc), undefined);
  t.equal(isSocket(ipc), false);
  const first = await FakeDpvs.start({ path: ipc, dialect: 'C' });
  const life = socketIdentity(ipc);
  t.equal(isSocket(ipc), true);
  await first.stop();
  const second = await FakeDpvs.start({ path: ipc, dialect: 'C' });
  t.not(socketIdentity(ipc), life);
  await second.stop();
});

t.test('its configuration file', async (t) => {
  const dir = t.testdir({ proc: { 9: {} } });
  const procDir = join(dir, 'proc');
  symlinkSync('/srv/dpvs', join(procDir, '9', 'cwd'));
  const of = (...words: string[]): string => configPath({ ...primary('dpvs', ['dpvs', ...words]), pid: 9 }, procDir);
  t.equal(of(), '/etc/dpvs.conf');
  t.equal(of('-c', '/opt/d.conf'), '/opt/d.conf');
  t.equal(of('--conf=d.conf'), '/srv/dpvs/d.conf', 'from where it runs');
  mkdirSync(join(procDir, '9', 'root'));
  const hidden = { ...primary('dpvs'), pid: 9, elsewhere: { variable: undefined, isHidden: true } };
  t.equal(configPath(hidden, procDir), join(procDir, '9/root/etc/dpvs.conf'), "in a container's own files");
});

t.test('whose socket it is', async (t) => {
  const [one, other] = [primary('dpvs', ['dpvs', '-x', '/run/a']), primary('dpvs', ['dpvs', '-x', '/run/b'])];
  t.equal(dpvsBehind('/run/b', [primary('dpdk-testpmd'), one, other]), other);
  t.equal(dpvsBehind('/run/c', [one, other]), undefined);
});
