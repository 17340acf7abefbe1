/** Standard error that nobody reads, or that is not there: it neither ends a capture nor keeps it from ending. */
import {
  closeSync,
  constants,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import t, { type Test } from 'tap';
import {
  capinfos,
  childrenOf,
  DPCAP,
  enginePid,
  gone,
  type Running,
  requirements,
  run,
  start,
  startCapture,
  type Testpmd,
  underLoad,
} from '../harness/index.js';

const skip = requirements({ hugepagesMb: 256 });
const SMALL = ['-i', '0', '-s', '64', '-a', 'filesize:2000000'];

/** A FIFO that is full, and that somebody has open for reading but does not read. */
function fullFifo(t: Test): string {
  const path = join(t.testdir({}), 'fifo');
  run('mkfifo', [path]);
  const fd = openSync(path, constants.O_RDWR | constants.O_NONBLOCK);
  t.teardown(() => closeSync(fd));
  try {
    for (;;) writeSync(fd, Buffer.alloc(4096));
  } catch {
    return path; // EAGAIN: full
  }
}

/** Resolves when the file of a capture has grown, or has its first bytes. */
async function grows(directory: string): Promise<void> {
  const size = (): number => {
    const name = readdirSync(directory).find((one) => one.startsWith('x.pcap'));
    return name ? Number(run('stat', ['-c', '%s', join(directory, name)])) : 0;
  };
  const before = size();
  for (let attempt = 0; size() <= before; attempt++) {
    if (attempt > 1000) throw new Error(`nothing is written into ${directory}`);
    await delay(10);
  }
}

/** In a shell, which redirects as `redirections` says; ends with dpcap's exit code on standard output. */
function inShell(testpmd: Testpmd, args: string[], redirections: string): Running {
  const words = ['--file-prefix', testpmd.prefix, '-B', '16384', ...SMALL, ...args];
  return start('sh', ['-c', `exec 3>&1; { "$0" "$@"; echo "code $?" >&3; } ${redirections}`, DPCAP, ...words]);
}

/** Pid of the node that a shell has somewhere below it. */
async function dpcapUnder(pid: number): Promise<number> {
  for (let attempt = 0; attempt < 1000; attempt++, await delay(10)) {
    const pids = run('ps', ['-eo', 'pid=,ppid=,args='])
      .split('\n')
      .map((line) => line.trim().split(/\s+/));
    const below = new Set([String(pid)]);
    for (const [child = '', parent = ''] of pids) if (below.has(parent)) below.add(child);
    const found = pids.find(([one = '', , ...args]) => below.has(one) && args.includes(`${DPCAP}.cjs`));
    if (found) return Number(found[0]);
  }
  throw new Error(`no dpcap under ${pid}`);
}

const STATS = '--stats ndjson --stats-interval 0.1';
const DEAF = [
  [STATS, '2>fifo'],
  ['--log-level trace', '2>fifo'],
  [STATS, '2>/dev/full'],
  [STATS, '2>&-'],
  [STATS, '2>&1 | head -n 1 >/dev/null'],
] as const;

t.test('nobody reads it, or it takes nothing: the capture goes on, and ends when it is told', { skip }, async (t) => {
  const testpmd = await underLoad(t);
  const fifo = fullFifo(t);
  for (const [style, redirections] of DEAF) {
    const directory = mkdtempSync(join(t.testdirName, 'to-'));
    const file = join(directory, 'x.pcap');
    const shell = inShell(testpmd, [...style.split(' '), '-w', file], redirections.replace('fifo', fifo));
    const pid = await dpcapUnder(shell.pid);
    await grows(directory);
    await grows(directory);
    process.kill(pid, 'SIGINT');
    const what = `${style} ${redirections}`;
    t.match(await shell.wait(15_000), { stdout: 'code 0\n' }, what);
    t.ok(Number(capinfos(file)['Number of packets']) > 0, what);
  }
});

t.test('what the engine prints cannot hold it up', { skip }, async (t) => {
  const testpmd = await underLoad(t);
  const running = await startCapture(testpmd, [...SMALL, '-w', '/dev/null']).started();
  const engine = enginePid(running.pid);
  const [ours, its] = [running.pid, engine].map((pid) => readlinkSync(`/proc/${pid}/fd/2`));
  t.not(its, ours, 'a pipe of its own');
  const flags = /^flags:\s*([0-7]+)/m.exec(readFileSync(`/proc/${engine}/fdinfo/2`, 'latin1'))?.[1] ?? '0';
  t.ok(Number.parseInt(flags, 8) & constants.O_NONBLOCK, 'which does not block');
  await running.stop();
});

t.test(
  'printing to a reader that stands still ends with the second signal, and leaves no tcpdump',
  { skip },
  async (t) => {
    const testpmd = await underLoad(t);
    const fifo = fullFifo(t);
    const running = start('sh', ['-c', `exec "$0" "$@" >${fifo}`, DPCAP, '--file-prefix', testpmd.prefix, '-i', '0']);
    await running.expect(/capturing on/);
    const children = childrenOf(running.pid);
    running.signal('SIGINT');
    await running.expect(/ended: signal|cannot write to tcpdump/, { timeoutMs: 15_000 });
    running.signal('SIGINT');
    await running.wait(5000);
    for (const pid of children) await gone(pid, 5000);
  },
);
