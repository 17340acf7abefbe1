import { mkdirSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { DpcapError } from '../../../src/errors.js';
import { LIBRARIES_FOLDER, librariesFor } from '../../../src/primary/joining/libraries.js';

const V11 = { number: 0x160b0b63, text: '22.11.11' };
const V10 = { number: 0x160b0a63, text: '22.11.10' };
const NONE = new DpcapError('ERR_ADDON_LOAD', 'librte_eal.so.23 is not found');
const NAMES = ['librte_eal.so.23.0', 'librte_ring.so.23.0', 'librte_mempool_ring.so.23.0'];

/** A /proc with process 7, whose libraries are in a root of its own; `replaced`: by others since it started. */
function container(t: Test, { names = NAMES, replaced = false } = {}): string {
  const top = t.testdir({ proc: { 7: { map_files: {} } }, root: { usr: { lib: {} } }, old: {} });
  const [proc, lib] = [join(top, 'proc'), join(top, 'root/usr/lib')];
  symlinkSync(join(top, 'root'), join(proc, '7/root'));
  const lines = [...names, 'libc.so.6'].map((name, at) => {
    writeFileSync(join(lib, name), '');
    const mapped = join(replaced ? join(top, 'old') : lib, name);
    writeFileSync(mapped, '');
    const range = `${(0x7f0000000000 + at * 0x2000).toString(16)}-${(0x7f0000001000 + at * 0x2000).toString(16)}`;
    symlinkSync(mapped, join(proc, '7/map_files', range));
    return `${range} r-xp 00000000 00:1b ${statSync(mapped).ino} /usr/lib/${name}${replaced ? ' (deleted)' : ''}\n`;
  });
  writeFileSync(join(proc, '7/maps'), lines.join(''));
  return proc;
}

t.test("the host's, where they fit", async (t) => {
  const proc = container(t);
  t.same(librariesFor({ pid: 7, version: V11 }, proc, V11), { source: 'host', files: [] });
  t.same(librariesFor({ pid: undefined, version: V11 }, proc, V11), { source: 'host', files: [] });
});

t.test("the primary's own, of another minor release or where the host has none", async (t) => {
  const proc = container(t);
  const files = NAMES.map((name) => join(proc, '7/root/usr/lib', name));
  t.same(librariesFor({ pid: 7, version: V10 }, proc, V11), { source: 'primary', files });
  t.same(librariesFor({ pid: 7, version: V10 }, proc, NONE), { source: 'primary', files });
});

t.test('its mappings, when the files were replaced under it', async (t) => {
  const proc = container(t, { replaced: true });
  const found = librariesFor({ pid: 7, version: V10 }, proc, V11);
  t.match(found, { source: 'primary', files: [/7\/map_files\/7f0000000000-7f0000001000$/, /map_files/, /map_files/] });
});

t.test('a primary without libraries says what to do', async (t) => {
  const proc = container(t, { names: [] });
  t.match(librariesFor({ pid: 7, version: V10 }, proc, V11), {
    code: 'ERR_VERSION_MISMATCH',
    message: /22\.11\.10, the libraries here are 22\.11\.11, and it is linked statically/,
    hint: /--dpdk-libs/,
  });
  t.equal(librariesFor({ pid: 7, version: V10 }, proc, NONE), NONE);
  t.equal(librariesFor({ pid: 99, version: V10 }, proc, NONE), NONE, 'nor one that has ended');
});

t.test('a folder that is given comes first', async (t) => {
  const folder = t.testdir({});
  mkdirSync(join(folder, 'dpdk/pmds-23.0'), { recursive: true });
  const files = ['librte_eal.so.23', 'librte_ring.so.23', 'dpdk/pmds-23.0/librte_mempool_ring.so.23'];
  for (const name of [...files, 'librte_eal.so.25', 'librte_net_tap.so.23']) writeFileSync(join(folder, name), '');
  process.env[LIBRARIES_FOLDER] = folder;
  t.teardown(() => delete process.env[LIBRARIES_FOLDER]);
  t.same(librariesFor({ pid: 7, version: V11 }, '/nonexistent', V11), {
    source: 'folder',
    files: files.map((name) => join(folder, name)),
  });
  const later = { number: 0x170b0063, text: '23.11.0' };
  t.match(librariesFor({ pid: 7, version: later }, '/nonexistent', NONE), {
    code: 'ERR_ADDON_LOAD',
    message: /no librte_eal\.so\.24 in/,
  });
});
