/** Small disks of a test's own, which can be full or frozen. */
import { mkdtempSync } from 'node:fs';
import { join } from 'node:path';
import type { Test } from 'tap';
import { atExit } from './at-exit.js';
import { run } from './processes.js';

/** Mounts a tmpfs of `kib` KiB. */
export function smallDisk(t: Test, kib: number): string {
  t.testdir();
  return mounted(t, ['-t', 'tmpfs', '-o', `size=${kib}k`, 'dpcap-test']);
}

/** Mounts an ext4 of `kib` KiB, which takes writes past the page cache, as a real disk does. */
export function smallExt4(t: Test, kib: number): string {
  const image = join(t.testdir(), 'image');
  run('truncate', ['-s', `${kib}K`, image]);
  run('mkfs.ext4', ['-q', '-m', '0', '-O', '^has_journal', image]);
  return mounted(t, ['-o', 'loop', image]);
}

function mounted(t: Test, words: string[]): string {
  const directory = mkdtempSync(join(t.testdirName, 'disk-'));
  run('mount', [...words, directory]);
  const unmount = (): void => {
    run('umount', ['-l', directory]);
    forget();
  };
  const forget = atExit(unmount);
  t.teardown(unmount);
  return directory;
}

/** A disk that takes no writes until `thaw`, nor lets a process that writes end. */
export function freeze(t: Test, directory: string): { thaw(): void } {
  run('fsfreeze', ['--freeze', directory]);
  let isFrozen = true;
  const thaw = (): void => {
    if (isFrozen) run('fsfreeze', ['--unfreeze', directory]);
    isFrozen = false;
    forget();
  };
  const forget = atExit(thaw);
  t.teardown(thaw);
  return { thaw };
}
