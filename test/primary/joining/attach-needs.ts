import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { attachNeeds } from '../../../src/primary/joining/attach-needs.js';

/** A process with three files of huge pages, whose root directory is `root`. */
function fake(t: { testdir(content: Record<string, Record<string, string | Record<string, string>>>): string }) {
  const pages = { rtemap_0: '', rtemap_1: '', rtemap_2: '' };
  const top = t.testdir({ here: pages, proc: {}, run: { fbarray_memzone: '', fbarray_memseg: '', config: '' } });
  const [procDir, dir] = [join(top, 'proc'), join(top, 'here')];
  mkdirSync(join(procDir, '7'), { recursive: true });
  mkdirSync(join(procDir, 'self'));
  const line = (i: number) => `${i}00000-${i}80000 rw-s 00000000 00:1f ${i + 5} ${dir}/rtemap_${i % 3}\n`;
  writeFileSync(join(procDir, '7', 'maps'), [0, 1, 2, 3].map(line).join('').replace('8 ', '5 '));
  const limits = (hard: string): void =>
    writeFileSync(
      join(procDir, 'self', 'limits'),
      `Max cpu time unlimited\nMax open files            256       ${hard}      files\n`,
    );
  limits('1024');
  return { top, procDir, dir, limits, primary: { filePrefix: 'rte', runtimeDir: join(top, 'run'), pid: 7 } };
}

t.test('a descriptor for each file, counted once, and for each array', async (t) => {
  const { procDir, primary, limits } = fake(t);
  symlinkSync('/', join(procDir, '7', 'root'));
  const needs = attachNeeds(primary, procDir);
  t.match(needs, { hugepageFiles: 3, missingDir: undefined, descriptors: 3 + 2 + 96, descriptorLimit: 1024 });
  limits('unlimited');
  t.equal(attachNeeds(primary, procDir).descriptorLimit, Number.POSITIVE_INFINITY);
  t.match(attachNeeds({ ...primary, pid: undefined }, procDir), { hugepageFiles: undefined, descriptors: undefined });
});

t.test('a directory that is another one in its mount namespace', async (t) => {
  const { top, procDir, dir, primary } = fake(t);
  mkdirSync(join(top, 'root', dir), { recursive: true });
  for (const i of [0, 1, 2]) writeFileSync(join(top, 'root', dir, `rtemap_${i}`), '');
  symlinkSync(join(top, 'root'), join(procDir, '7', 'root'));
  t.equal(attachNeeds(primary, procDir).missingDir, dir);
});
