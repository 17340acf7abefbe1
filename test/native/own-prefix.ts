/** A DPDK in a prefix of its own is found without LD_LIBRARY_PATH, also what its libraries need of one another. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));
const libdpdk = (variable: string): string =>
  execFileSync('pkg-config', [`--variable=${variable}`, 'libdpdk'], { encoding: 'utf8' }).trim();

/** The installed DPDK under other names. */
function makePrefix(prefix: string): { lib: string; packages: string } {
  const [libdir, lib, packages] = [libdpdk('libdir'), join(prefix, 'lib'), join(prefix, 'lib/pkgconfig')];
  mkdirSync(packages, { recursive: true });
  for (const name of readdirSync(libdir).filter((one) => /^librte_.*\.so/.test(one)))
    symlinkSync(join(libdir, name), join(lib, name));
  for (const name of ['libdpdk.pc', 'libdpdk-libs.pc']) {
    const text = readFileSync(join(libdpdk('pcfiledir'), name), 'utf8');
    const moved = text.replace(/^libdir=.*$/m, `libdir=${lib}`).replace(/\$\{includedir\}\/\.\.\//, '/usr/include/');
    writeFileSync(join(packages, name), moved);
  }
  return { lib, packages };
}

t.test('built with PKG_CONFIG_PATH', async (t) => {
  const dir = t.testdir({ build: {} });
  const { lib, packages } = makePrefix(join(dir, 'prefix'));
  const env = { ...process.env, PKG_CONFIG_PATH: packages };
  const options = { env, stdio: ['ignore', 'ignore', 'inherit'] as ('ignore' | 'inherit')[] };
  execFileSync('cmake', ['-S', ROOT, '-B', join(dir, 'build'), '-Wno-dev'], options);
  execFileSync('cmake', ['--build', join(dir, 'build'), '--target', 'dpvs_primary'], options);
  const { LD_LIBRARY_PATH: _, ...plain } = process.env;
  const resolved = execFileSync('ldd', [join(dir, 'build/dpvs')], { encoding: 'utf8', env: plain });
  const dpdk = [...resolved.matchAll(/(librte_\S+) => (\S+)/g)].map(([, name, path]) => [name, path] as const);
  t.ok(
    dpdk.some(([name]) => name?.startsWith('librte_kvargs')),
    'one that only another one needs',
  );
  for (const [name, path] of dpdk) t.ok(path?.startsWith(lib), `${name} => ${path}`);
});
