import { closeSync, existsSync, openSync, renameSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
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
