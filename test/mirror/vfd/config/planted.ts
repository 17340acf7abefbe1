/** VFd's folders belong to another user, who plants links: nothing outside of them is read, written or given away. */
import { execFileSync } from 'node:child_process';
import {
  chownSync,
  existsSync,
  lstatSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { mirrorByConfig } from '../../../../src/mirror/vfd/by-config.js';
import { ConfigFiles } from '../../../../src/mirror/vfd/config/config-files.js';
import { readVfConfigs } from '../../../../src/mirror/vfd/config/vf-config.js';
import { DaemonLog } from '../../../../src/mirror/vfd/daemon-log.js';
import { VfdClient } from '../../../../src/mirror/vfd/protocol/client.js';
import { ownDir } from '../../../helpers/own-dir.js';
import { FakeVfd } from '../../helpers/fake-vfd.js';

const NOBODY = 65534;
const skip = process.geteuid?.() === 0 ? false : 'must run as root to have a second user';
const OWNER = { uid: NOBODY, gid: NOBODY, mode: 0o4644 };

/** Folders of another user, and a file of root's that he would like to have. */
function planted(t: { teardown(undo: () => void): void }): {
  dir: string;
  files: ConfigFiles;
  secret: string;
} {
  const top = ownDir(t, { config: {}, config_live: {}, secret: 'root only' });
  const secret = join(top, 'secret');
  chownSync(join(top, 'config'), NOBODY, NOBODY);
  chownSync(join(top, 'config_live'), NOBODY, NOBODY);
  return { dir: join(top, 'config'), files: new ConfigFiles(join(top, 'config'), 'a.json'), secret };
}

function isUntouched(t: { same(a: unknown, b: unknown): void }, secret: string): void {
  const { uid, mode } = statSync(secret);
  t.same([readFileSync(secret, 'utf8'), uid, mode & 0o7777], ['root only', 0, 0o644]);
}

t.test('under the name of the staged file', { skip }, async (t) => {
  const { dir, files, secret } = planted(t);
  for (const name of ['.a.json.dpcap', '.a.json.dpcap-', '.a.json.dpcap-0']) symlinkSync(secret, join(dir, name));
  files.stage('text', OWNER);
  isUntouched(t, secret);
  files.place();
  t.match(lstatSync(join(dir, 'a.json')), { uid: NOBODY });
  t.equal(lstatSync(join(dir, 'a.json')).mode & 0o7777, 0o644, 'no set-user-id bit');
});

t.test('under the name of the waiting file, after it was looked for', { skip }, async (t) => {
  const { dir, files, secret } = planted(t);
  files.refuseWaiting();
  files.stage('text', OWNER);
  symlinkSync(secret, join(dir, 'a.json'));
  t.throws(() => files.place(), { code: 'ERR_MIRROR_UNSAFE', message: /in the way/ });
  isUntouched(t, secret);
});

t.test('as the configuration in force', { skip }, async (t) => {
  const { dir, files, secret } = planted(t);
  symlinkSync(secret, join(`${dir}_live`, 'a.json'));
  t.throws(() => files.readLive(), { code: 'ERR_SYSTEM', hint: /links/ });
  rmSync(join(`${dir}_live`, 'a.json'));
  execFileSync('mkfifo', [join(`${dir}_live`, 'a.json')]);
  t.throws(() => files.readLive(), { message: /no regular file/ }, 'a FIFO does not hold us up');
  t.same(readVfConfigs(dir), [], 'not here either');
});

t.test('among what is cleared up', { skip }, async (t) => {
  const { dir, files, secret } = planted(t);
  symlinkSync(secret, join(dir, 'a.json'));
  execFileSync('mkfifo', [join(dir, 'a.json.error')]);
  files.stage('text', OWNER);
  const { digest } = await import('../../../../src/mirror/vfd/config/config-files.js');
  files.discard([digest('text'), digest('root only')]);
  t.same(readdirSync(dir).sort(), ['a.json', 'a.json.error'], 'the staged file is gone, the rest is not ours');
  isUntouched(t, secret);
});

t.test('where the whole procedure runs', { skip }, async (t) => {
  const vfd = new FakeVfd(ownDir(t)).start();
  vfd.manage(0, 1, 'guest_a');
  vfd.manage(0, 3, 'debug');
  for (const dir of [vfd.configDir, vfd.liveDir, vfd.logDir]) chownSync(dir, NOBODY, NOBODY);
  const secret = join(vfd.dir, 'secret');
  writeFileSync(secret, 'root only', { mode: 0o644 });
  symlinkSync(secret, join(vfd.configDir, '.guest_a.json.dpcap'));
  execFileSync('mkfifo', [join(vfd.logDir, 'vfd.log.0')]);
  const client = new VfdClient(vfd.fifo, 500);
  const wanted = { pf: 0, vf: 1, direction: 'in' as const, target: 3 };
  const job = { id: { pf: 0, vf: 1 }, pfPci: '0000:08:00.0', wanted, configDir: vfd.configDir, logDir: vfd.logDir };
  await mirrorByConfig(client, { ...job, backupDir: join(vfd.dir, 'backup'), logWaitMs: 50 }, () => undefined);
  t.same(vfd.mirrored(), ['0/1 in 3']);
  isUntouched(t, secret);
  await t.rejects(
    mirrorByConfig(client, { ...job, backupDir: join(vfd.logDir, 'backup') }, () => undefined),
    { code: 'ERR_PERMISSION', message: /belongs to user 65534/ },
    'no backup where somebody else can change it',
  );
  client.close();
  await vfd.stop();
});

t.test('in the place of the folder for answers', { skip }, async (t) => {
  const vfd = new FakeVfd(ownDir(t)).start();
  chownSync(vfd.dir, NOBODY, NOBODY);
  const elsewhere = join(vfd.dir, 'log', 'elsewhere');
  mkdirSync(elsewhere);
  writeFileSync(join(elsewhere, 'keep'), '');
  const client = new VfdClient(vfd.fifo, 200);
  await client.ping();
  const [name] = vfd.leftovers();
  const answers = join(vfd.dir, name as string);
  renameSync(answers, join(vfd.dir, 'log', 'moved'));
  symlinkSync(elsewhere, answers);
  await t.rejects(client.ping(), { code: 'ERR_MIRROR_NO_ANSWER' });
  client.close();
  t.same(readdirSync(elsewhere), ['keep'], 'nothing was made or removed there');
  rmSync(answers);

  // What looks like a dead client's folder, and is a link or another user's.
  symlinkSync(elsewhere, join(vfd.dir, '.dpcap-answers-4000000-1-4026531836-a'));
  mkdirSync(join(vfd.dir, '.dpcap-answers-4000000-1-4026531836-b'));
  chownSync(join(vfd.dir, '.dpcap-answers-4000000-1-4026531836-b'), NOBODY, NOBODY);
  const second = new VfdClient(vfd.fifo, 500);
  await second.ping();
  second.close();
  t.same(readdirSync(elsewhere), ['keep']);
  await vfd.stop();
});

t.test('a log that is rotated between two looks', async (t) => {
  const dir = ownDir(t, { 'vfd.log.1': 'set mirror for pf/vf=0/1 target=3 failed: -22\n' });
  const log = (name: string): string => join(dir, name);
  const ok = 'set mirror for pf/vf=0/1 target=3 ok';
  const verdict = async (begun: DaemonLog): Promise<string> => (await begun.verdict({ pf: 0, vf: 1 }, 0)).state;

  const moved = new DaemonLog(dir);
  renameSync(log('vfd.log.1'), log('vfd.log.2'));
  t.equal(await verdict(moved), 'unknown', 'an old line under a new name is old');
  writeFileSync(log('vfd.log.1'), `${ok}\n`);
  t.equal(await verdict(moved), 'ok');

  const copied = new DaemonLog(dir);
  writeFileSync(log('vfd.log.3'), readFileSync(log('vfd.log.2')));
  writeFileSync(log('vfd.log.2'), '');
  t.equal(await verdict(copied), 'unknown', 'a copy brings no news');
  writeFileSync(log('vfd.log.2'), 'set mirror for pf/vf=0/1 target=3 failed: -5\n');
  t.equal(await verdict(copied), 'failed', 'the truncated one goes on');
  rmSync(log('vfd.log.3'));
  t.notOk(existsSync(log('vfd.log.3')));
});
