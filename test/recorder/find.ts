import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { doubt, findBoxes, openBox } from '../../src/recorder/find.js';

t.test('who may have put a box where it is', async (t) => {
  const folder = { uid: 7, mode: 0o40700 };
  t.equal(doubt('dpcap_recorder', folder, { uid: 7 }), undefined);
  t.equal(doubt('dpcap_recorder_7', folder, { uid: 7 }), undefined);
  t.match(doubt('dpcap_recorder_0', folder, { uid: 7 }), /user 7 made the folder of user 0/);
  t.match(doubt('dpcap_recorder_7', folder, { uid: 8 }), /it belongs to user 8/);
  t.match(doubt('dpcap_recorder', { ...folder, mode: 0o40777 }, { uid: 7 }), /others can write/);
});

t.test('what is no box is named, and nothing is followed', async (t) => {
  const root = t.testdir({ rte: {}, shm: {}, secret: 'root only' });
  const folder = join(root, 'rte', 'dpcap_recorder');
  mkdirSync(folder, { mode: 0o700 });
  writeFileSync(join(folder, 'dpcap_box_1_1'), 'no box');
  symlinkSync(join(root, 'secret'), join(folder, 'dpcap_box_2_1'));
  writeFileSync(join(folder, 'other'), '');
  symlinkSync(folder, join(root, 'shm', 'dpcap_recorder_0'));
  const found = findBoxes(root, undefined, join(root, 'shm'));
  found.close();
  t.same(found.boxes, []);
  t.match(
    found.bad.map(({ path, error }) => [path.slice(root.length), error.code]),
    [
      ['/rte/dpcap_recorder/dpcap_box_1_1', 'ERR_RECORDER_FILE'],
      ['/rte/dpcap_recorder/dpcap_box_2_1', /ERR/],
      ['/shm/dpcap_recorder_0/dpcap_box_1_1', /ERR/],
      ['/shm/dpcap_recorder_0/dpcap_box_2_1', /ERR/],
    ],
  );
});

t.test('a file that is named', async (t) => {
  const folder = t.testdir({ text: 'x'.repeat(9000) });
  t.throws(() => openBox(join(folder, 'text')), { code: 'ERR_RECORDER_FILE', message: /does not begin like one/ });
  t.throws(() => openBox(join(folder, 'none')), { code: 'ERR_RECORDER_FILE', errno: 'ENOENT' });
  symlinkSync(join(folder, 'text'), join(folder, 'link'));
  t.throws(() => openBox(join(folder, 'link')), { code: 'ERR_RECORDER_FILE', errno: 'ELOOP' });
});
