import { mkdirSync, openSync, readFileSync, statSync, symlinkSync, writeFileSync, writeSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import fc from 'fast-check';
import t from 'tap';
import { findDevices } from '../../src/ebpf/devices.js';
import { findTable, lineByLibraries, polledPorts } from '../../src/ebpf/table.js';
import { fastPathLayout, RELEASE_LINES, type ReleaseLine } from '../../src/native/releases.js';
import { elfImage } from '../primary/helpers/elf-image.js';

const PID = 100;
const BASE = 0x400000;
const TABLE_AT = 0x3000;
const ROWS = 32;
const IDLE = 0x1111n;
const [FIRST, LATEST] = [RELEASE_LINES[0], RELEASE_LINES.at(-1)] as [ReleaseLine, ReleaseLine];
const defines = (rows = ROWS): Buffer =>
  elfImage({ symbols: [{ name: 'rte_eth_fp_ops', address: BigInt(TABLE_AT), size: BigInt(rows * 128) }] });
const NONE = elfImage({ symbols: [] });

interface FakeFile {
  path: string;
  image: Buffer;
  at: number;
}

/** A /proc with one process whose memory is a sparse file. */
function makeProc(dir: string, files: FakeFile[]): { dir: string; write(at: number, words: bigint[]): void } {
  const process = join(dir, String(PID));
  mkdirSync(process, { recursive: true });
  const memory = openSync(join(process, 'mem'), 'w');
  const lines = files.map(({ path, image, at }) => {
    const real = join(process, 'root', path);
    mkdirSync(dirname(real), { recursive: true });
    writeFileSync(real, image);
    if (basename(path) === 'app') symlinkSync(real, join(process, 'exe'));
    return `${at.toString(16)}-${(at + 0x1000).toString(16)} r-xp 00000000 fe:00 ${statSync(real).ino} ${path}`;
  });
  writeFileSync(join(process, 'maps'), `${lines.join('\n')}\n`);
  const write = (at: number, words: bigint[]): void => {
    const bytes = Buffer.alloc(8 * words.length);
    for (const [i, word] of words.entries()) bytes.writeBigUInt64LE(word, 8 * i);
    writeSync(memory, bytes, 0, bytes.length, at);
  };
  return { dir, write };
}

const LIBRARY = { path: '/lib/librte_ethdev.so.23.0', at: 2 * BASE };

t.test('the table is that of the program where this has a copy, else that of the library', async (t) => {
  const both = makeProc(t.testdir(), [
    { ...LIBRARY, image: defines() },
    { path: '/bin/app', image: defines(), at: BASE },
  ]);
  t.match(findTable(PID, FIRST, both.dir), { address: BASE + TABLE_AT, rows: ROWS });
  const one = makeProc(join(t.testdir(), 'one'), [
    { path: '/bin/app', image: NONE, at: BASE },
    { ...LIBRARY, image: defines() },
  ]);
  t.match(findTable(PID, FIRST, one.dir), { address: LIBRARY.at + TABLE_AT, rows: ROWS });
});

t.test('refusals say why', async (t) => {
  const without = makeProc(t.testdir(), [{ path: '/bin/app', image: NONE, at: BASE }]);
  t.match(findTable(PID, FIRST, without.dir), { reason: /defines rte_eth_fp_ops: .*stripped/ });
  const odd = elfImage({ symbols: [{ name: 'rte_eth_fp_ops', address: 8n, size: 100n }] });
  const other = makeProc(join(t.testdir(), 'other'), [{ path: '/bin/app', image: odd, at: BASE }]);
  t.match(findTable(PID, FIRST, other.dir), { reason: /rte_eth_fp_ops/ });
  t.match(findTable(PID, FIRST, join(t.testdir(), 'nobody')), { reason: /cannot look into process 100/ });
});

for (const line of [FIRST, LATEST]) {
  t.test(`ports and queues of ${line.name}`, async (t) => {
    const layout = fastPathLayout(line);
    const { dir, write } = makeProc(t.testdir(), [{ ...LIBRARY, image: defines() }]);
    const table = LIBRARY.at + TABLE_AT;
    for (let row = 0; row < ROWS; row++) write(table + row * 128 + layout.rxFunction, [IDLE]);
    const [rx, tx] = [0x900000, 0xa00000];
    write(table + layout.rxFunction, [0x2222n]);
    write(table + layout.rxQueues, [BigInt(rx)]);
    write(table + layout.txQueues, [BigInt(tx)]);
    write(rx, [0x10n, 0x20n, 0n, 0x30n]);
    write(tx, [0x40n]);
    write(table + 3 * 128 + layout.rxFunction, [0x3333n]);
    const found = findTable(PID, line, dir);
    t.notMatch(found, { reason: String });
    if ('reason' in found) return;
    const none = { rxQueues: 0, txQueues: 0 };
    t.same(polledPorts(PID, found, dir), [
      { id: 0, rxQueues: 2, txQueues: 1 },
      { id: 3, ...none },
    ]);
  });
}

t.test('the names of devices, by what their rows point to', async (t) => {
  const [rowBytes, code, data] = [0x4000, 0x900000, 0xa00000];
  const symbols = [{ name: 'rte_eth_devices', address: BigInt(TABLE_AT), size: BigInt(4 * rowBytes) }];
  const { dir, write } = makeProc(t.testdir(), [{ ...LIBRARY, image: elfImage({ symbols }) }]);
  const table = LIBRARY.at + TABLE_AT;
  write(table + 4 * rowBytes - 8, [0n]);
  t.equal(findDevices(PID, 4, dir), undefined, 'no port has a device');
  write(code, [0x8949f8e589485541n, 0n]);
  write(data, [0x6c756e5f74656e6en, 0x316cn, ...Array<bigint>(6).fill(0n)]);
  write(table + 2 * rowBytes, [BigInt(code), BigInt(code), 0n, BigInt(data)]);
  t.same(findDevices(PID, 4, dir), { address: table, rowBytes, data: 24 });
  t.equal(findDevices(PID, 3, dir), undefined, 'the table has not so many rows');
});

t.test('a release by the names of libraries', async (t) => {
  t.same(lineByLibraries('7f00-7f01 r-xp 0 fe:00 1 /usr/lib/librte_eal.so.23.0\n'), FIRST);
  t.equal(lineByLibraries('7f00-7f01 r-xp 0 fe:00 1 /usr/lib/librte_eal.so.22.0\n'), undefined);
  t.equal(lineByLibraries(readFileSync('/proc/self/maps', 'latin1')), undefined, 'this process has none');
});

t.test('no two things of a row are in one place', async (t) => {
  const line = fc.constantFrom(...RELEASE_LINES);
  fc.assert(
    fc.property(line, (one) => {
      const { rowBytes, ...places } = fastPathLayout(one);
      const all = Object.values(places);
      return new Set(all).size === all.length && all.every((at) => at % 8 === 0 && at + 8 <= rowBytes);
    }),
  );
  t.pass('');
});
