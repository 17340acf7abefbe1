import { mkdirSync, openSync, renameSync, statSync, symlinkSync, writeFileSync, writeSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import fc from 'fast-check';
import t from 'tap';
import { decodeOpsTable, type OpsReading, readOpsTable } from '../../../src/primary/memory/mempool-ops.js';
import { elfImage } from '../helpers/elf-image.js';
import { LAYOUT, OWN_OPS, opsTableBytes, TESTPMD_OPS } from '../helpers/fake-host.js';

const BASE = 0x400000;
const TABLE_AT = 0x3000;
const SYMBOL = { name: 'rte_mempool_ops_table', address: BigInt(TABLE_AT), size: BigInt(LAYOUT.tableSize) };

/** A file of the fake process: its image, where it is mapped, and the table in memory (if it has a live one). */
interface FakeFile {
  path: string;
  image: Buffer;
  at: number;
  table?: Buffer;
}

/** A /proc with one process, 100, whose memory is a sparse file. */
function makeProc(dir: string, files: FakeFile[], executable = '/bin/app'): string {
  const process = join(dir, '100');
  mkdirSync(process, { recursive: true });
  const memory = openSync(join(process, 'mem'), 'w');
  const lines = files.map(({ path, image, at, table }) => {
    const real = join(process, 'root', path);
    mkdirSync(dirname(real), { recursive: true });
    writeFileSync(real, image);
    if (basename(path) === basename(executable)) symlinkSync(real, join(process, 'exe'));
    if (table) writeSync(memory, table, 0, table.length, at + TABLE_AT);
    return `${at.toString(16)}-${(at + 0x1000).toString(16)} r-xp 00000000 fe:00 ${statSync(real).ino} ${path}`;
  });
  writeFileSync(join(process, 'maps'), `${lines.join('\n')}\n`);
  return dir;
}

function read(dir: string): OpsReading {
  return readOpsTable(100, LAYOUT, dir);
}

const LIBRARY = { path: '/lib/librte_mempool.so.23.0', at: 2 * BASE };
const none = elfImage({ symbols: [] });
const defines = elfImage({ symbols: [SYMBOL] });

t.test('the library', async (t) => {
  const files = [
    { path: '/bin/app', image: none, at: BASE },
    { ...LIBRARY, image: defines, table: opsTableBytes(OWN_OPS) },
  ];
  t.same(read(makeProc(t.testdir(), files)), { names: OWN_OPS, source: LIBRARY.path });
});

t.test('a copy in the executable wins over the unused one in the library', async (t) => {
  const files = [
    { ...LIBRARY, image: defines, at: BASE, table: opsTableBytes(OWN_OPS) },
    { path: '/bin/app', image: defines, at: 2 * BASE, table: opsTableBytes(TESTPMD_OPS) },
  ];
  t.same(read(makeProc(t.testdir(), files)), { names: TESTPMD_OPS, source: '/bin/app' });
});

t.test('a static executable at a fixed address, with the table in .symtab', async (t) => {
  const symbol = { ...SYMBOL, address: BigInt(BASE + TABLE_AT) };
  const image = elfImage({ symbols: [symbol], tableType: 2, segmentAddress: BigInt(BASE) });
  const files = [{ path: '/bin/app', image, at: BASE, table: opsTableBytes(TESTPMD_OPS) }];
  t.match(read(makeProc(t.testdir(), files)), { names: TESTPMD_OPS });
});

t.test('any other library, such as a plugin that holds all of DPDK', async (t) => {
  const files = [
    { path: '/bin/app', image: none, at: BASE },
    { path: '/lib/dpdk_plugin.so', image: defines, at: 2 * BASE, table: opsTableBytes(TESTPMD_OPS) },
  ];
  t.match(read(makeProc(t.testdir(), files)), { names: TESTPMD_OPS, source: '/lib/dpdk_plugin.so' });
});

t.test('refusals say why', async (t) => {
  const other = elfImage({ symbols: [{ ...SYMBOL, size: 4096n }] });
  const live = { ...LIBRARY, image: defines };
  const cases: [string, FakeFile[], RegExp][] = [
    ['nowhere', [{ path: '/bin/app', image: none, at: BASE }], /stripped/],
    ['another layout', [{ ...LIBRARY, image: other }], /4096 bytes, here 2112/],
    ['memory is not there', [live], /to its end/],
    ['an empty table', [{ ...live, table: opsTableBytes([]) }], /ring_mp_mc/],
    ['not an ELF file', [{ ...LIBRARY, image: Buffer.from('x') }], /stripped/],
  ];
  for (const [name, files, reason] of cases) {
    t.match(read(makeProc(join(t.testdir(), name.replaceAll(' ', '-')), files)), { names: undefined, reason }, name);
  }
  t.match(read(t.testdir()), { names: undefined, reason: /100/ }, 'no such process');
});

t.test('a library that was replaced on disk is not believed', async (t) => {
  const dir = makeProc(t.testdir(), [{ ...LIBRARY, image: defines, table: opsTableBytes(OWN_OPS) }]);
  const path = join(dir, '100/root', LIBRARY.path);
  renameSync(path, `${path}.old`);
  writeFileSync(path, defines);
  t.match(read(dir), { names: undefined, reason: /replaced on disk/ });
});

const TABLES: [string, Buffer, RegExp][] = [
  ['too many', opsTableBytes(OWN_OPS, 17), /claims 17/],
  ['a name twice', opsTableBytes(['ring_mp_mc', 'ring_mp_mc']), /twice/],
  ['no name', opsTableBytes(['ring_mp_mc', '']), /none/],
  ['a name of other bytes', opsTableBytes(['ring_mp_mc', 'a\x01']), /none/],
  ['an endless name', opsTableBytes(['ring_mp_mc', 'x'.repeat(40)]), /none/],
  ['cut short', opsTableBytes(OWN_OPS).subarray(0, 100), /to its end/],
];
for (const [name, bytes, reason] of TABLES) {
  t.match(decodeOpsTable(bytes, LAYOUT), { names: undefined, reason }, `refuses ${name}`);
}

t.test('tables come back as written; other bytes are refused without a throw', async (t) => {
  const names = fc.shuffledSubarray(TESTPMD_OPS).map((some) => [...new Set(['ring_mp_mc', ...some])]);
  fc.assert(fc.property(names, (some) => decodeOpsTable(opsTableBytes(some), LAYOUT).names?.join() === some.join()));
  const bytes = fc.uint8Array({ minLength: LAYOUT.tableSize, maxLength: LAYOUT.tableSize });
  fc.assert(fc.property(bytes, (some) => decodeOpsTable(Buffer.from(some), LAYOUT).names === undefined));
  t.pass('');
});
