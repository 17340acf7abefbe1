import { closeSync, existsSync, openSync, readFileSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { openBox } from '../../src/recorder/find.js';
import { removeBox, removeEntry } from '../../src/recorder/remove.js';

t.test('only what is open is removed', async (t) => {
  const top = t.testdir({ folder: { box: 'a', other: 'b' } });
  const folder = join(top, 'folder');
  const path = join(folder, 'box');
  const fd = openSync(path, 'r');
  t.teardown(() => closeSync(fd));
  renameSync(path, join(folder, 'moved'));
  t.throws(() => removeEntry(path, fd), { code: 'ENOENT' });
  writeFileSync(path, 'c');
  t.throws(() => removeEntry(path, fd), { code: 'ERR_PERMISSION', errno: 'ESTALE', hint: /./ });
  symlinkSync(folder, join(top, 'link'));
  t.throws(() => removeEntry(join(top, 'link', 'other'), fd), { code: 'ERR_PERMISSION' });
  removeEntry(join(top, 'link', 'moved'), fd);
  t.same([existsSync(path), existsSync(join(folder, 'moved'))], [true, false]);
  t.throws(() => removeBox(path), { code: 'ERR_RECORDER_FILE' }, 'what is no box stays');
  t.ok(existsSync(path));
});

t.test('a box that cannot be read can be removed', async (t) => {
  const magic = /DPCAP_BOX_MAGIC "(.{8})"/.exec(readFileSync('native/agent/box.h', 'utf8'))?.[1] ?? '';
  for (const [what, rest] of [
    ['of another version', Buffer.from([9, 0, 0, 0, ...Buffer.alloc(5000)])],
    ['cut off', Buffer.alloc(0)],
  ] as const) {
    const path = join(t.testdir(), 'box');
    const bytes = Buffer.concat([Buffer.from(magic, 'latin1'), rest]);
    writeFileSync(path, bytes);
    t.throws(() => openBox(path), { code: /ERR_(VERSION_MISMATCH|RECORDER_FILE)/ }, what);
    t.equal(removeBox(path), bytes.length);
    t.notOk(existsSync(path));
  }
});
