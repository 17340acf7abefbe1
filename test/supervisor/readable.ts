import { chmodSync, chownSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { unreadableNote } from '../../src/supervisor/readable.js';

const NOBODY = 65534;
const skip = process.getuid?.() === 0 ? false : 'must run as root';

t.test('who called sudo is told what he cannot read, and how to', { skip }, async (t) => {
  const file = join(t.testdir({ "it's": '' }), "it's");
  const sudo = { SUDO_USER: 'alice', SUDO_UID: String(NOBODY), SUDO_GID: String(NOBODY) };
  chmodSync(file, 0o640);
  const word = file.replace("'", "'\\''");
  t.equal(unreadableNote(file, sudo), `${file} is closed to alice; to open it: sudo chown alice '${word}'`);
  t.equal(unreadableNote(file, {}), undefined, 'no sudo');
  t.equal(unreadableNote(file, { ...sudo, SUDO_UID: '0' }), undefined, 'root');
  chmodSync(file, 0o644);
  t.equal(unreadableNote(file, sudo), undefined, 'everybody may');
  chmodSync(file, 0o640);
  chownSync(file, 0, NOBODY);
  t.equal(unreadableNote(file, sudo), undefined, 'his group may');
  chownSync(file, NOBODY, 0);
  t.equal(unreadableNote(file, sudo), undefined, 'it is his');
});
