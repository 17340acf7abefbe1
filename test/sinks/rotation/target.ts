/** Where files that follow one another may be made. */
import { mkdirSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { UsageError } from '../../../src/errors.js';
import { rotationTarget } from '../../../src/sinks/rotation/target.js';

t.test('names are made beside the given one, which is left alone', async (t) => {
  const folder = t.testdir({ 'x.pcap': 'old', target: 'precious' });
  symlinkSync(join(folder, 'target'), join(folder, 'link.pcap'));
  for (const name of ['x.pcap', 'new.pcap', 'link.pcap']) {
    const path = join(folder, name);
    const { to } = rotationTarget(path);
    t.match(to, { kind: 'file', path, unfinished: new RegExp(`${name}\\.\\d+-[0-9a-f]{12}\\.partial$`) });
  }
});

t.test('what is no place for files is refused', async (t) => {
  const folder = t.testdir({ 'x.pcap': '' });
  mkdirSync(join(folder, 'dir'));
  for (const path of [folder, join(folder, 'dir'), `${folder}/new/`, '.', '/dev/null'])
    t.throws(() => rotationTarget(path), UsageError, path);
  t.throws(() => rotationTarget(join(folder, 'missing', 'x.pcap')), { code: 'ERR_SINK_OPEN', errno: 'ENOENT' });
  t.throws(() => rotationTarget(join(folder, 'x.pcap', 'y')), { code: 'ERR_SINK_OPEN', errno: 'ENOTDIR' });
});
