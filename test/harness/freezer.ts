/** Halts one thread of a process in the middle of whatever it does, by the cgroup freezer (version 2). */
import { existsSync, mkdirSync, readdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { atExit } from './at-exit.js';
import { uniqueName } from './owned.js';

/** Where cgroup2 is mounted, if it is. */
function mountPoint(): string | undefined {
  return /^\S+ (\S+) cgroup2 rw/m.exec(readFileSync('/proc/mounts', 'utf8'))?.[1];
}

/** Whether {@link freezeThread} can be used here. */
export function canFreezeThreads(): boolean {
  const mount = mountPoint();
  if (mount === undefined) return false;
  const dir = join(mount, uniqueName());
  try {
    mkdirSync(dir);
    writeFileSync(join(dir, 'cgroup.type'), 'threaded');
    return existsSync(join(dir, 'cgroup.freeze'));
  } catch {
    return false;
  } finally {
    if (existsSync(dir)) rmdirSync(dir);
  }
}

/** The thread of a process that has this name. @throws Error when there is none */
export function threadNamed(pid: number, name: string): number {
  const tids = readdirSync(`/proc/${pid}/task`);
  const found = tids.find((tid) => readFileSync(`/proc/${pid}/task/${tid}/comm`, 'utf8').trim() === name);
  if (found === undefined) throw new Error(`process ${pid} has no thread ${name}`);
  return Number(found);
}

/** Halts thread `tid` of `pid`; resolves, once it stands, with what lets it go on. */
export async function freezeThread(pid: number, tid: number): Promise<() => void> {
  const mount = mountPoint() ?? '';
  const dir = join(mount, uniqueName());
  const threads = join(dir, 'halted');
  mkdirSync(dir);
  mkdirSync(threads);
  const thaw = (): void => {
    writeFileSync(join(threads, 'cgroup.freeze'), '0');
    writeFileSync(join(mount, 'cgroup.procs'), String(pid));
    rmdirSync(threads);
    rmdirSync(dir);
    forget();
  };
  const forget = atExit(thaw);
  writeFileSync(join(threads, 'cgroup.type'), 'threaded');
  writeFileSync(join(dir, 'cgroup.procs'), String(pid));
  writeFileSync(join(threads, 'cgroup.threads'), String(tid));
  writeFileSync(join(threads, 'cgroup.freeze'), '1');
  while (!/^frozen 1/m.test(readFileSync(join(threads, 'cgroup.events'), 'utf8'))) await delay(1);
  return thaw;
}
