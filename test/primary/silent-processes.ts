import { mkdirSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { mayStarve, silenceError, silentProcesses, stoppedProcesses } from '../../src/primary/silent-processes.js';

/** One process of a /proc that does not exist. */
interface Fake {
  pid: number;
  /** Of its main thread, and of the one that answers. */
  states: [string, string];
  /** As in /proc/PID/task/TID/syscall. */
  call?: string;
  policy?: string;
}

const WAITING = process.arch === 'arm64' ? '212 0x5' : '47 0x5';

function stat(pid: number, state: string, policy: string): string {
  const fields = new Array<string>(50).fill('0');
  fields[0] = state;
  fields[19] = '77';
  fields[38] = policy;
  return `${pid} (a (b) c) ${fields.join(' ')}`;
}

/** A /proc and a runtime directory with the sockets of all but the first, the primary. */
function machine(t: Test, fakes: Fake[]): { procDir: string; sharers: { runtimeDir: string; primaryPid: number } } {
  const root = t.testdir({ run: {} });
  const procDir = join(root, 'proc');
  for (const [at, { pid, states, call = WAITING, policy = '0' }] of fakes.entries()) {
    const answering = join(procDir, String(pid), 'task', String(pid + 1));
    mkdirSync(answering, { recursive: true });
    writeFileSync(join(procDir, String(pid), 'stat'), stat(pid, states[0], policy));
    writeFileSync(join(procDir, String(pid), 'status'), `NSpid:\t${pid}\n`);
    writeFileSync(join(procDir, String(pid), 'comm'), `program${at}\n`);
    writeFileSync(join(answering, 'comm'), 'rte_mp_handle\n');
    writeFileSync(join(answering, 'stat'), stat(pid + 1, states[1], policy));
    writeFileSync(join(answering, 'syscall'), call);
    if (at > 0) writeFileSync(join(root, 'run', `mp_socket_${pid}_1a2b`), '');
  }
  return { procDir, sharers: { runtimeDir: join(root, 'run'), primaryPid: fakes[0]?.pid ?? 0 } };
}

const NO_PATIENCE = { deafMs: 0 };

t.test('who has just begun to join is waited for', async (t) => {
  const { procDir, sharers } = machine(t, [
    { pid: 100, states: ['R', 'S'] },
    { pid: 200, states: ['S', 'S'] },
  ]);
  const made = statSync(join(sharers.runtimeDir, 'mp_socket_200_1a2b')).ctimeMs;
  t.same(await silentProcesses(sharers, NO_PATIENCE, procDir), []);
  t.ok(Date.now() - made >= 1000, 'until it has joined');
});

t.test('who waits for questions is not silent', async (t) => {
  const { procDir, sharers } = machine(t, [
    { pid: 100, states: ['R', 'S'] },
    { pid: 200, states: ['S', 'S'] },
  ]);
  t.same(await silentProcesses(sharers, NO_PATIENCE, procDir), []);
  t.equal(silenceError([]), undefined);
  t.notOk(mayStarve(sharers, procDir));
});

t.test('who is stopped is named at once: by a signal, by a debugger, in one thread', async (t) => {
  for (const states of [
    ['T', 'S'],
    ['t', 'S'],
    ['S', 't'],
  ] as [string, string][]) {
    const { procDir, sharers } = machine(t, [
      { pid: 100, states: ['R', 'S'] },
      { pid: 200, states },
    ]);
    t.match(stoppedProcesses(sharers, procDir), [{ pid: 200, role: 'secondary', why: 'stopped', program: 'program1' }]);
    const error = silenceError(await silentProcesses(sharers, { deafMs: 60_000 }, procDir));
    t.match(error, { code: 'ERR_SECONDARY_STOPPED', message: /program1, pid 200.*is stopped/, hint: /kill -CONT 200/ });
  }
  const { procDir, sharers } = machine(t, [{ pid: 100, states: ['T', 'T'] }]);
  const error = silenceError(await silentProcesses(sharers, NO_PATIENCE, procDir));
  t.match(error, { code: 'ERR_PRIMARY_STOPPED', message: /the primary \(program0, pid 100\) is stopped/ });
});

t.test('who does something else is given time', async (t) => {
  const deaf = [
    { pid: 100, states: ['R', 'S'] as [string, string] },
    { pid: 200, states: ['S', 'R'] as [string, string], call: 'running' },
  ];
  const { procDir, sharers } = machine(t, deaf);
  t.match(await silentProcesses(sharers, NO_PATIENCE, procDir), [{ pid: 200, why: 'deaf' }]);
  const late = silentProcesses(sharers, { deafMs: 60_000 }, procDir);
  writeFileSync(join(procDir, '200', 'task', '201', 'syscall'), WAITING);
  t.same(await late, [], 'and is fine when it waits again');
});

t.test('one that runs when nobody else does may starve', async (t) => {
  const { procDir, sharers } = machine(t, [{ pid: 100, states: ['S', 'S'], policy: '5' }]);
  t.ok(mayStarve(sharers, procDir));
  t.notOk(mayStarve({ runtimeDir: sharers.runtimeDir }, procDir), 'of one that cannot be seen nothing is known');
});
