import { mkdirSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import t, { type Test } from 'tap';
import { DpcapError } from '../../../src/errors.js';
import {
  LIBRARIES_FOLDER,
  type Libraries,
  librariesFor,
  origin,
  originAndReason,
} from '../../../src/primary/joining/libraries.js';

const V11 = { number: 0x160b0b63, text: '22.11.11' };
const V10 = { number: 0x160b0a63, text: '22.11.10' };
const NONE = new DpcapError('ERR_ADDON_LOAD', 'librte_eal.so.23 is not found', { errno: 'ENOENT' });
const BROKEN = new DpcapError('ERR_ADDON_LOAD', 'undefined symbol: rte_x', { hint: 'rebuild it' });
const NO_ADDON = new DpcapError('ERR_VERSION_MISMATCH', 'there is no addon for it', { errno: 'ENOENT' });
const NAMES = ['librte_eal.so.23.0', 'librte_ring.so.23.0', 'librte_mempool_ring.so.23.0'];

const ROOT = { uid: 0, capabilities: '000001ffffffffff', namespace: 4026531837 };

interface Container {
  names?: string[];
  replaced?: boolean;
  rights?: Partial<typeof ROOT>;
}

/** A /proc with process 7, whose libraries are in a root of its own; `replaced`: by others since it started. */
function container(t: Test, { names = NAMES, replaced = false, rights = {} }: Container = {}): string {
  const top = t.testdir({
    proc: { 7: { map_files: {}, ns: {} }, self: { ns: {} } },
    root: { usr: { lib: {} } },
    old: {},
  });
  const [proc, lib] = [join(top, 'proc'), join(top, 'root/usr/lib')];
  symlinkSync(join(top, 'root'), join(proc, '7/root'));
  for (const [name, { uid, capabilities, namespace }] of Object.entries({ 7: { ...ROOT, ...rights }, self: ROOT })) {
    writeFileSync(join(proc, name, 'status'), `Name:\tx\nUid:\t0\t${uid}\t0\t0\nCapEff:\t${capabilities}\n`);
    symlinkSync(`user:[${namespace}]`, join(proc, name, 'ns/user'));
  }
  const lines = [...names, 'libc.so.6'].map((name, at) => {
    mkdirSync(dirname(join(lib, name)), { recursive: true });
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
  t.same(librariesFor({ pid: 7, version: V10 }, proc, V11), {
    source: 'primary',
    files,
    why: 'the libraries of this system are 22.11.11',
  });
  const instead = librariesFor({ pid: 7, version: V10 }, proc, NONE);
  t.match(instead, { source: 'primary', files });
  t.equal(
    originAndReason(instead as Libraries),
    'with its own libraries (this system has no libraries of that release (librte_*.so.23))',
  );
  t.equal(
    originAndReason({ source: 'host', files: [] }),
    'with the libraries of this system, which are of that release',
  );
});

t.test('a library comes after those that it needs, which the loader would take from this system', async (t) => {
  const names = ['bpf', 'net', 'mempool_ring', 'ethdev', 'eal', 'kvargs', 'pcapng', 'mempool', 'ring', 'mbuf', 'log'];
  const proc = container(t, { names: names.map((name) => `librte_${name}.so.23.0`) });
  const found = librariesFor({ pid: 7, version: V10 }, proc, V11);
  const order = ['log', 'kvargs', 'eal', 'ring', 'mempool', 'mbuf', 'net', 'ethdev', 'bpf', 'mempool_ring'];
  t.match(found, { files: order.map((name) => join(proc, '7/root/usr/lib', `librte_${name}.so.23.0`)) });
});

t.test('a primary with fewer rights does not choose what dpcap executes', async (t) => {
  const without = { capabilities: '00000000a80425fb' }; // of a container, by Docker's default
  for (const rights of [{ uid: 1000 }, without, { namespace: 4026532000 }]) {
    const proc = container(t, { rights });
    const folder = join(proc, '7/root/usr/lib');
    t.match(librariesFor({ pid: 7, version: V10 }, proc, V11), {
      code: 'ERR_PERMISSION',
      message:
        'it runs DPDK 22.11.10, the libraries of this system are 22.11.11, and its own are not loaded by themselves',
      subject: folder,
      hint: `if you trust what is in that container, give --dpdk-libs ${folder}; or install the libraries of DPDK 22.11.10`,
    });
    t.match(librariesFor({ pid: 7, version: V10 }, proc, NONE), {
      code: 'ERR_PERMISSION',
      message: /has no libraries/,
    });
    t.match(librariesFor({ pid: 7, version: V11 }, proc, V11), { source: 'host' }, 'it is not asked where not needed');
  }
});

t.test('its mappings, when the files were replaced under it', async (t) => {
  const proc = container(t, { replaced: true });
  const found = librariesFor({ pid: 7, version: V10 }, proc, V11);
  t.match(origin(found as Libraries), /deleted or replaced since it started/);
  t.match(found, { source: 'primary', files: [/7\/map_files\/7f0000000000-7f0000001000$/, /map_files/, /map_files/] });
});

t.test('that the kernel may not give to everybody', async (t) => {
  const proc = container(t, { replaced: true });
  rmSync(join(proc, '7/map_files'), { recursive: true });
  t.match(librariesFor({ pid: 7, version: V10 }, proc, V11), {
    code: 'ERR_VERSION_MISMATCH',
    message:
      /22\.11\.10, .* are 22\.11\.11, and its own, which were deleted or replaced since it started, cannot be opened/,
    hint: /CAP_SYS_ADMIN .*restart the application; or install the libraries of DPDK 22\.11\.10/,
  });
});

t.test('no library helps where there is no addon', async (t) => {
  t.equal(librariesFor({ pid: 7, version: V10 }, container(t), NO_ADDON), NO_ADDON);
});

t.test('the folder of EAL is named, not that of a plugin that is mapped below it', async (t) => {
  const rights = { capabilities: '00000000a80425fb' };
  const proc = container(t, { names: ['pmds/librte_mempool_ring.so.23.0', ...NAMES], rights });
  t.match(librariesFor({ pid: 7, version: V10 }, proc, V11), { subject: join(proc, '7/root/usr/lib') });
});

t.test('a primary without libraries says what to do', async (t) => {
  const proc = container(t, { names: [] });
  t.match(librariesFor({ pid: 7, version: V10 }, proc, V11), {
    code: 'ERR_VERSION_MISMATCH',
    message: 'it runs DPDK 22.11.10, the libraries of this system are 22.11.11, and it is linked statically',
    hint: /^install the libraries of DPDK 22\.11\.10 .*--dpdk-libs/,
  });
  t.match(librariesFor({ pid: 7, version: V10 }, proc, NONE), {
    code: 'ERR_ADDON_LOAD',
    errno: 'ENOENT',
    message:
      /runs DPDK 22\.11\.10, this system has no libraries of that release \(librte_\*\.so\.23\), and it is linked/,
  });
  t.match(librariesFor({ pid: 7, version: V10 }, proc, BROKEN), {
    message: /22\.11\.10, those of this system cannot be used \(undefined symbol: rte_x\), and it is linked statically/,
    hint: 'rebuild it',
  });
  t.match(librariesFor({ pid: 99, version: V10 }, proc, NONE), { message: /its own cannot be read/ }, 'it has ended');
  t.match(librariesFor({ pid: 99, version: V10 }, proc, V11), { message: /its own cannot be read from here/ });
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
