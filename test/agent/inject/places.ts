import t from 'tap';
import { codePadding, dataPadding, findPlaces } from '../../../src/agent/inject/places.js';
import { hostAddon } from '../../../src/native/addons.js';
import type { Segment } from '../../../src/system/elf.js';
import { mappedFiles, parseMaps } from '../../../src/system/maps.js';
import { readMemory } from '../../../src/system/process-memory.js';

const MAPS = [
  '7f0000000000-7f0000001000 r--p 00000000 fe:00 5 /lib/libc.so.6',
  '7f0000001000-7f0000003000 r-xp 00001000 fe:00 5 /lib/libc.so.6',
  '7f0000003000-7f0000004000 rw-p 00003000 fe:00 5 /lib/libc.so.6',
  '7f0000004000-7f0000006000 rw-p 00000000 00:00 0 ',
].join('\n');
const mappings = parseMaps(MAPS);
const [libc] = mappedFiles(mappings);

function segments(code: bigint, data: bigint): Segment[] {
  return [
    { offset: 0n, address: 0n, fileSize: 0x800n, memorySize: 0x800n },
    { offset: 0x1000n, address: 0x1000n, fileSize: code, memorySize: code },
    { offset: 0x3100n, address: 0x3100n, fileSize: 0x200n, memorySize: data },
  ];
}

t.test('behind the code', async (t) => {
  if (!libc) throw new Error('not parsed');
  t.equal(codePadding(libc, segments(0x1b03n, 0x300n), 1024), 0x7f0000002b10n);
  t.equal(codePadding(libc, segments(0x1c00n, 0x300n), 1024), 0x7f0000002c00n, 'with just enough');
  t.equal(codePadding(libc, segments(0x1c01n, 0x300n), 1024), undefined, 'with one byte less');
  t.equal(codePadding(libc, segments(0x9000n, 0x300n), 1024), undefined, 'of a file that is not what is mapped');
});

t.test('behind the variables', async (t) => {
  if (!libc) throw new Error('not parsed');
  t.equal(dataPadding(libc, segments(1n, 0x301n), mappings), 0x7f0000003408n);
  t.equal(dataPadding(libc, segments(1n, 0x1e00n), mappings), 0x7f0000004f00n, 'in the pages behind the file');
  t.equal(dataPadding(libc, segments(1n, 0x1eefn), mappings), undefined, 'without room');
  t.equal(dataPadding(libc, segments(1n, 0x200n), mappings), undefined, 'where nothing begins as 0');
  t.equal(dataPadding(libc, segments(1n, 0x9000n), mappings), undefined, 'where nothing is mapped');
});

t.test('in this very process', async (t) => {
  const room = hostAddon().trampolineRoom;
  const { hasGlibc, places } = findPlaces(process.pid, room);
  t.ok(hasGlibc);
  if (!places) throw new Error('no places');
  t.ok(
    readMemory(`/proc/${process.pid}`, places.code, room).every((byte) => byte === 0),
    'nobody uses them',
  );
  t.ok(readMemory(`/proc/${process.pid}`, places.report, 24).every((byte) => byte === 0));
  t.notOk(readMemory(`/proc/${process.pid}`, places.functions.dlopen, 16).every((byte) => byte === 0));
});
