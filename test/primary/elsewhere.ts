import { execFileSync } from 'node:child_process';
import { mkdirSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import t from 'tap';
import { choosePrimary } from '../../src/primary/choose.js';
import { findPrimaries, type Primary } from '../../src/primary/discover.js';
import { closedPrimaries, configHolders, lockOwners } from '../../src/primary/elsewhere.js';
import { fakeHost, makeProcess, makeRuntimeDir } from './helpers/fake-host.js';

/** What /proc says of a process that has the `config` of a runtime directory locked and mapped. */
interface Holder {
  pid: number;
  runtimeDir: string;
  environ?: string[];
  /** Its own view of the file system; default: ours. */
  root?: string;
}

function makeHolders(procDir: string, holders: readonly Holder[]): void {
  const locks = holders.map(({ pid, runtimeDir, environ = [], root = '/' }, i) => {
    makeProcess(procDir, pid, ['app']);
    const { ino } = statSync(join(root, runtimeDir, 'config'));
    const dir = join(procDir, String(pid));
    writeFileSync(join(dir, 'maps'), `100000000-100001000 rw-s 00000000 00:1b ${ino} ${join(runtimeDir, 'config')}\n`);
    writeFileSync(join(dir, 'environ'), environ.map((word) => `${word}\0`).join(''));
    symlinkSync(root, join(dir, 'root'));
    return `${i + 1}: POSIX  ADVISORY  WRITE ${pid} 00:1b:${ino} 0 EOF\n`;
  });
  writeFileSync(join(procDir, 'locks'), `9: FLOCK  ADVISORY  WRITE 5 00:1b:1 0 EOF\n${locks.join('')}rubbish\n`);
}

t.test('found by the locks that processes hold, with the variable that put them there', async (t) => {
  const top = t.testdir({ proc: {}, here: {}, run: { app: { dpdk: {} }, user: { dpdk: {} } } });
  const procDir = join(top, 'proc');
  const [service, session] = [join(top, 'run/app'), join(top, 'run/user')];
  const ours = makeRuntimeDir(join(top, 'here'), 'rte');
  const held = [
    { pid: 10, runtimeDir: ours },
    {
      pid: 11,
      runtimeDir: makeRuntimeDir(join(service, 'dpdk'), 'rte'),
      environ: ['A=b', `RUNTIME_DIRECTORY=${service}`],
    },
    { pid: 12, runtimeDir: makeRuntimeDir(join(session, 'dpdk'), 'x'), environ: [`XDG_RUNTIME_DIR=${session}`] },
  ];
  makeHolders(procDir, held);
  t.same([...lockOwners(procDir).keys()], [10, 11, 12], 'POSIX write locks only');
  t.match(configHolders(procDir, new Set([10])), [
    { pid: 11, isHidden: false, variable: `RUNTIME_DIRECTORY=${service}` },
    { pid: 12, isHidden: false, variable: `XDG_RUNTIME_DIR=${session}` },
  ]);

  const locks = { [join(ours, 'config')]: { locked: true, pid: 10 } };
  const found = findPrimaries(join(top, 'here'), fakeHost({ procDir, locks }));
  t.match(found, [
    { filePrefix: 'rte', pid: 10, elsewhere: undefined },
    { filePrefix: 'rte', pid: 11, state: 'running', shared: true, runtimeDir: join(service, 'dpdk/rte') },
    { filePrefix: 'x', pid: 12, elsewhere: { variable: /XDG/ } },
  ]);
  const host = { ...fakeHost({ procDir, locks }), searchesProcesses: false };
  t.equal(findPrimaries(join(top, 'here'), host).length, 1, 'only where we were told to look');
});

t.test('in another mount namespace', async (t) => {
  const top = t.testdir({ proc: {}, container: { run: { dpdk: {} } } });
  const procDir = join(top, 'proc');
  const root = join(top, 'container');
  makeRuntimeDir(join(root, 'run/dpdk'), 'inner');
  makeHolders(procDir, [{ pid: 20, runtimeDir: '/run/dpdk/inner', root }]);
  const [primary] = findPrimaries(join(top, 'none'), fakeHost({ procDir }));
  t.match(primary, { filePrefix: 'inner', pid: 20, state: 'running', version: { text: '22.11.11' } });
  t.match(primary?.elsewhere, { isHidden: true });
});

t.test('what is planted in the place of its files does not hold us up', async (t) => {
  const top = t.testdir({ proc: {}, run: { dpdk: {} } });
  const procDir = join(top, 'proc');
  const runtimeDir = makeRuntimeDir(join(top, 'run/dpdk'), 'x');
  makeHolders(procDir, [{ pid: 40, runtimeDir }]);
  rmSync(join(runtimeDir, 'config'));
  execFileSync('mkfifo', [join(runtimeDir, 'config')]);
  t.same(findPrimaries(join(top, 'none'), fakeHost({ procDir })), []);
});

t.test("another user's runs, and cannot be looked at", async (t) => {
  const top = t.testdir({ proc: {} });
  const procDir = join(top, 'proc');
  const threads = (pid: number, names: string[]): void => {
    makeProcess(procDir, pid, ['dpdk-app', '-l', '0', '--file-prefix=big', '--', 'x']);
    for (const [i, name] of names.entries()) {
      mkdirSync(join(procDir, String(pid), 'task', String(pid + i)), { recursive: true });
      writeFileSync(join(procDir, String(pid), 'task', String(pid + i), 'comm'), `${name}\n`);
    }
  };
  threads(30, ['dpdk-app', 'dpdk-intr', 'dpdk-mp-msg']);
  threads(31, ['sqlite']);
  writeFileSync(
    join(procDir, 'locks'),
    [30, 31].map((pid) => `1: POSIX  ADVISORY  WRITE ${pid} 00:1b:5 0 EOF\n`).join(''),
  );
  t.same(closedPrimaries(procDir, new Set()), [30]);
  const found = findPrimaries(join(top, 'none'), fakeHost({ procDir }));
  t.match(found, [
    { filePrefix: 'big', state: 'unreadable', pid: 30, reason: /it runs \(.*pid 30\), but belongs to / },
  ]);
  const refusal = { code: 'ERR_PERMISSION', message: /big: it runs/, hint: /run dpcap as/ };
  t.throws(() => choosePrimary(found, undefined), refusal, 'without a prefix');
  t.throws(() => choosePrimary(found, 'big'), refusal, 'and with one');
});

function primary(filePrefix: string, runtimeDir: string, isHidden?: boolean): Primary {
  const elsewhere = isHidden === undefined ? undefined : { variable: undefined, isHidden };
  const rest = { process: undefined, version: undefined, reason: undefined, shared: true, elsewhere };
  return { filePrefix, runtimeDir, state: 'running', pid: 1, ...rest };
}

t.test('which one is meant', async (t) => {
  const here = primary('a', '/var/run/dpdk/a');
  const [there, other, hidden] = [
    primary('b', '/run/x/dpdk/b', false),
    primary('b', '/run/y/dpdk/b', false),
    primary('c', '/run/dpdk/c', true),
  ];
  t.equal(choosePrimary([here, there], undefined), here, 'our own root comes first');
  t.equal(choosePrimary([there, hidden], undefined), there, 'then what can be joined');
  t.equal(choosePrimary([hidden], undefined), hidden, 'to be refused with its reason');
  t.equal(choosePrimary([here, there], 'b'), there);
  t.throws(() => choosePrimary([there, other], 'b'), {
    code: 'ERR_PRIMARY_AMBIGUOUS',
    hint: /RUNTIME_DIRECTORY=\/run\/x dpcap --file-prefix b is .*RUNTIME_DIRECTORY=\/run\/y/,
  });
  const owner = { uid: 4242, user: 'somebody', program: 'app' } as Primary['process'];
  const foreign = { ...primary('f', '/home/x/dpdk/f', false), process: owner };
  t.equal(choosePrimary([there, foreign], undefined), there);
  t.throws(
    () => choosePrimary([foreign], undefined),
    { code: 'ERR_PRIMARY_ABSENT', hint: /running: f .*choose one with --file-prefix/ },
    'whoever joins a primary trusts its memory',
  );
  t.equal(choosePrimary([foreign], 'f'), foreign, 'named, it is meant');
  t.equal(dirname(there.runtimeDir), '/run/x/dpdk');
});
