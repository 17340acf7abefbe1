/** Whom files of root are given to: as if that user had made them himself, and never where he could not have. */
import {
  chmodSync,
  chownSync,
  closeSync,
  existsSync,
  fstatSync,
  mkdirSync,
  readFileSync,
  renameSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { FILE } from '../../src/sinks/file.js';
import { type FileOwner, fileOwner } from '../../src/sinks/file-owner.js';
import type { Output } from '../../src/sinks/sink.js';

const NOBODY = 65534;
const skip = process.getuid?.() === 0 ? false : 'must run as root';
const CALLER: FileOwner = { uid: NOBODY, gid: NOBODY };

t.test('who is meant', { skip }, async (t) => {
  const sudo = { SUDO_UID: '1000', SUDO_GID: '1001', SUDO_USER: 'alice' };
  t.same(fileOwner(undefined, {}), undefined);
  t.same(fileOwner(undefined, sudo), { uid: 1000, gid: 1001 });
  t.same(fileOwner(undefined, { ...sudo, SUDO_UID: '0' }), undefined, 'root');
  t.same(fileOwner(undefined, { ...sudo, SUDO_UID: '-1' }), undefined, 'no number');
  t.same(fileOwner(undefined, { SUDO_UID: '1000' }), undefined, 'no group');
  t.match(fileOwner('nobody', sudo), { uid: NOBODY, user: 'nobody' }, '-Z comes first');
  t.same(fileOwner('root', sudo), undefined, 'and keeps files root’s');
  for (const name of ['dpcap-nonesuch', '', '65534', '-x']) {
    t.throws(() => fileOwner(name, {}), { exitCode: 2, message: /-Z: there is no user/ }, name);
  }
});

t.test('a file that replaces another is whose that was, and as open', { skip }, async (t) => {
  const dir = t.testdir();
  chownSync(dir, NOBODY, NOBODY);
  const path = join(dir, 'x.pcap');
  const made = async (belongings: object): Promise<{ uid: number; gid: number; mode: number }> => {
    const plan = { kind: 'file', path, unfinished: `${path}.partial`, ...belongings } as const;
    const output = (await FILE.open(plan, () => false)) as Output;
    const { uid, gid, mode } = fstatSync((output.sink as { fd: number }).fd);
    closeSync((output.sink as { fd: number }).fd);
    await output.remove();
    return { uid, gid, mode: mode & 0o7777 };
  };
  const alices = { uid: 1000, gid: 1001, mode: 0o664 };
  t.same(await made({ replaced: alices }), alices);
  t.same(await made({ replaced: { uid: 0, gid: 0, mode: 0o600 } }), { uid: 0, gid: 0, mode: 0o600 });
  t.same(
    await made({ replaced: { ...alices, mode: 0o604 }, owner: CALLER }),
    { ...CALLER, mode: 0o600 },
    'sudo and -Z',
  );
  t.same(await made({ replaced: { ...CALLER, mode: 0o666 }, owner: CALLER }), { ...CALLER, mode: 0o666 });
  chownSync(dir, 0, 0);
  t.same(await made({ replaced: alices, owner: CALLER }), alices, 'where the caller of sudo could not make files');
});

/** A directory of this owner and mode, and the output of a file in it. */
async function opened(
  t: Test,
  mode: number,
  uid: number,
  owner: FileOwner,
): Promise<{ path: string; dir: string; output: Output }> {
  const dir = join(t.testdir(), 'dir');
  mkdirSync(dir);
  chmodSync(dir, mode);
  chownSync(dir, uid, uid);
  const path = join(dir, 'x.pcap');
  const plan = { kind: 'file', path, unfinished: `${path}.partial`, owner } as const;
  const output = (await FILE.open(plan, () => false)) as Output;
  t.teardown(() => closeSync((output.sink as { fd: number }).fd));
  return { path, dir, output };
}

t.test('in a directory of his the file is his, from the start on', { skip }, async (t) => {
  const { path, output } = await opened(t, 0o755, NOBODY, CALLER);
  t.match(statSync(`${path}.partial`), { uid: NOBODY, gid: NOBODY });
  t.same(await output.publish(), { file: path });
  t.match(statSync(path), { uid: NOBODY });
});

t.test('another name can be tried when one is taken', { skip }, async (t) => {
  const { path, dir, output } = await opened(t, 0o755, NOBODY, CALLER);
  writeFileSync(path, 'of another capture');
  t.match(await output.publish(path, 'kept'), { error: { errno: 'EEXIST' } });
  t.same(await output.publish(join(dir, 'y.pcap'), 'kept'), { file: join(dir, 'y.pcap') });
  t.match(statSync(join(dir, 'y.pcap')), { uid: NOBODY, nlink: 1 });
  t.equal(readFileSync(path, 'utf8'), 'of another capture');
});

t.test('in one for all, too', { skip }, async (t) => {
  const { path, output } = await opened(t, 0o1777, 0, CALLER);
  t.same(await output.publish(), { file: path });
  t.match(statSync(path), { uid: NOBODY });
});

t.test('in one of root’s the file stays root’s', { skip }, async (t) => {
  const { path, output } = await opened(t, 0o755, 0, CALLER);
  t.same(await output.publish(), { file: path });
  t.match(statSync(path), { uid: 0 });
  await t.rejects(opened(t, 0o755, 0, { ...CALLER, user: 'nobody' }), {
    code: 'ERR_SINK_OPEN',
    errno: 'EACCES',
    message: /user nobody may not make files there/,
  });
});

t.test('a directory that is exchanged leads nothing elsewhere', { skip }, async (t) => {
  const { path, dir, output } = await opened(t, 0o755, NOBODY, CALLER);
  const elsewhere = join(t.testdirName, 'etc');
  mkdirSync(elsewhere);
  renameSync(dir, `${dir}-before`);
  symlinkSync(elsewhere, dir);
  t.same(await output.publish(), { file: path });
  t.ok(existsSync(join(`${dir}-before`, 'x.pcap')), 'it is where it was made');
  t.notOk(existsSync(join(elsewhere, 'x.pcap')));
});
