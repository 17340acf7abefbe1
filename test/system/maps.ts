import fc from 'fast-check';
import t from 'tap';
import { mappedFiles, parseMaps } from '../../src/system/maps.js';

const TEXT = `55e0a0000000-55e0a0010000 r--p 00000000 fe:00 1515 /usr/bin/app
55e0a0010000-55e0a0020000 r-xp 00010000 fe:00 1515 /usr/bin/app
55e0a0020000-55e0a0030000 rw-p 00000000 00:00 0
7f0000000000-7f0000001000 r-xp 00000000 fe:00 77                         /lib/a b.so (deleted)
7f0000001000-7f0000002000 r-xp 00000000 fe:00 78                         /lib/a b.so
7ffc00000000-7ffc00001000 rw-p 00000000 00:00 0                          [stack]
ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0                  [vsyscall]
`;

const mappings = parseMaps(TEXT);
t.equal(mappings.length, 7);
t.match(mappings[1], {
  start: 0x55e0a0010000n,
  end: 0x55e0a0020000n,
  permissions: 'r-xp',
  offset: 0x10000n,
  inode: 1515,
});
t.equal(mappings[6]?.start, 0xffffffffff600000n);
t.same(
  mappedFiles(mappings).map(({ path, inode, mappings }) => [path, inode, mappings.length]),
  [
    ['/usr/bin/app', 1515, 2],
    ['/lib/a b.so', 77, 1],
    ['/lib/a b.so', 78, 1],
  ],
  'an upgraded library is another file',
);

t.test('any text is read without a throw', async (t) => {
  const line = fc.constantFrom(...TEXT.split('\n'));
  const damaged = fc.tuple(line, fc.nat(80), fc.string({ maxLength: 3 })).map(([text, at, extra]) => {
    return text.slice(0, at) + extra + text.slice(at + 1);
  });
  fc.assert(
    fc.property(fc.array(fc.oneof(damaged, fc.string())), (lines) =>
      mappedFiles(parseMaps(lines.join('\n'))).every((file) => file.path[0] === '/'),
    ),
  );
  t.pass('');
});
