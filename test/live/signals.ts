/** Signals that are not for us, or were set to be ignored: they end nothing and open nothing, from the first moment on. */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { join } from 'node:path';
import { setImmediate as nextTurn } from 'node:timers/promises';
import t from 'tap';
import {
  balances,
  capinfos,
  childrenOf,
  DPCAP,
  enginePid,
  LiveCapture,
  requirements,
  start,
  startCapture,
  type Testpmd,
  underLoad,
} from '../harness/index.js';

const skip = requirements({ hugepagesMb: 256, tools: ['nohup'] });
const SMALL = ['-i', '0', '-s', '64', '-a', 'filesize:2000000'];
const [SIGUSR1, SIGUSR2] = [10, 12];

/** Empty when the process has ended. */
function readProc(path: string): string {
  try {
    return readFileSync(`/proc/${path}`, 'latin1');
  } catch {
    return '';
  }
}

function catches(pid: number, signal: number): boolean {
  const mask = /^SigCgt:\s*([0-9a-f]+)/m.exec(readProc(`${pid}/status`))?.[1] ?? '0';
  return ((BigInt(`0x${mask}`) >> BigInt(signal - 1)) & 1n) === 1n;
}

/** Sockets on which a process waits for TCP connections. */
function listening(pid: number): string[] {
  const rows = ['tcp', 'tcp6'].flatMap((table) => readProc(`${pid}/net/${table}`).split('\n').slice(1));
  const inodes = rows.map((row) => row.trim().split(/\s+/)).filter((row) => row[3] === '0A');
  const held = new Set(descriptors(pid));
  return inodes.filter((row) => held.has(`socket:[${row[9]}]`)).map((row) => `${pid} listens on ${row[1]}`);
}

function descriptors(pid: number): string[] {
  try {
    return readdirSync(`/proc/${pid}/fd`).map((fd) => readlinkSync(`/proc/${pid}/fd/${fd}`));
  } catch {
    return [];
  }
}

/**
 * Sends SIGUSR1 to each node of a capture: as soon as node itself takes the signal, which is before it runs our code, and
 * again when our code has taken SIGUSR2; and looks what it opened, until `isOver`.
 */
async function pester(supervisor: number, isOver: () => boolean): Promise<{ early: number; opened: Set<string> }> {
  const [early, late, opened] = [new Set<number>(), new Set<number>(), new Set<string>()];
  for (; !isOver(); await nextTurn()) {
    // A child that has not executed anything yet is still the supervisor to look at, and about to drop all handlers.
    const own = readProc(`${supervisor}/cmdline`);
    const children = childrenOf(supervisor).filter((pid) => readProc(`${pid}/cmdline`) !== own);
    for (const pid of [supervisor, ...children]) {
      if (!early.has(pid) && catches(pid, SIGUSR1) && !catches(pid, SIGUSR2)) {
        process.kill(pid, 'SIGUSR1');
        early.add(pid);
      } else if (!late.has(pid) && catches(pid, SIGUSR1) && catches(pid, SIGUSR2)) {
        for (const signal of ['SIGUSR1', 'SIGUSR2'] as const) process.kill(pid, signal);
        late.add(pid);
      }
      if (early.has(pid) || late.has(pid)) for (const socket of listening(pid)) opened.add(socket);
    }
  }
  return { early: early.size, opened };
}

t.test('SIGUSR1 opens nothing, and SIGUSR2 ends nothing', { skip }, async (t) => {
  const testpmd = await underLoad(t);
  let early = 0;
  for (let round = 0; round < 3; round++) {
    const running = startCapture(testpmd, [...SMALL, '-w', join(t.testdir(), 'x.pcap')]);
    let isOver = false;
    const pestered = pester(running.pid, () => isOver);
    try {
      await running.written(1);
      for (const pid of [running.pid, enginePid(running.pid)]) {
        for (const signal of ['SIGUSR1', 'SIGUSR2'] as const) process.kill(pid, signal);
      }
      await goesOn(running);
    } finally {
      isOver = true;
    }
    const seen = await pestered;
    early += seen.early;
    t.same([...seen.opened], []);
    balances(t, await running.stop());
  }
  t.ok(early > 0, `${early} processes got it before they ran a line of ours`);
});

t.test('SIGUSR1 asks for a line of statistics', { skip }, async (t) => {
  const testpmd = await underLoad(t);
  const running = start(DPCAP, ['--file-prefix', testpmd.prefix, '-B', '16384', ...SMALL, '-w', '/dev/null']);
  await running.expect(/capturing on/);
  running.signal('SIGUSR1');
  await running.expect(/^dpcap: \d+ packets captured in \d+\.\d s, .*B; \d+ packets lost \(nombuf/m);
  t.match(await running.stop(), { code: 0, stderr: /ended: signal/ });
});

/** A capture under a command that sets signals to be ignored. */
async function under(testpmd: Testpmd, file: string, args: string[], path: string): Promise<LiveCapture> {
  const words = ['--file-prefix', testpmd.prefix, '-B', '16384', '--stats', 'ndjson', '--stats-interval', '0.1'];
  const running = start(file, [...args, DPCAP, ...words, ...SMALL, '-w', path]);
  return new LiveCapture(running).started();
}

/** Resolves when it has shown more statistics than before. */
async function goesOn(running: LiveCapture): Promise<void> {
  const from = running.process.stderr.length;
  await running.process.expect(/"elapsed_s".*\n[\s\S]*"elapsed_s".*\n/, { from, stream: 'stderr' });
}

t.test('what was set to be ignored stays ignored', { skip }, async (t) => {
  const testpmd = await underLoad(t);
  const path = join(t.testdir(), 'x.pcap');
  const running = await under(testpmd, 'nohup', [], path);
  for (const pid of [running.pid, enginePid(running.pid)]) process.kill(pid, 'SIGHUP');
  await goesOn(running);
  const captured = await running.stop('SIGTERM');
  balances(t, captured);
  t.ok(Number(capinfos(path)['Number of packets']) > 0, 'nohup');

  // What a shell without job control does for `&`.
  const script = await under(testpmd, 'sh', ['-c', `trap '' INT QUIT; exec "$0" "$@"`], path);
  process.kill(script.pid, 'SIGQUIT');
  await goesOn(script);
  balances(t, await script.stop('SIGINT'));
});
