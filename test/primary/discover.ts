import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import t from 'tap';
import type { DpcapError } from '../../src/errors.js';
import { choosePrimary, isDecidedHere } from '../../src/primary/choose.js';
import { findPrimaries, type Primary } from '../../src/primary/discover.js';
import { configBytes, fakeHost, makeProcess, makeRuntimeDir } from './helpers/fake-host.js';

t.test('each state is told apart', async (t) => {
  const top = t.testdir({ run: {}, proc: {} });
  const [root, procDir] = [join(top, 'run'), join(top, 'proc')];
  makeProcess(procDir, 100, ['dpdk-app', '-l', '0']);
  makeRuntimeDir(root, 'alive');
  makeRuntimeDir(root, 'begun', { config: configBytes(0x160b0b63, 0) });
  makeRuntimeDir(root, 'gone');
  makeRuntimeDir(root, 'locked-out');
  makeRuntimeDir(root, 'far');
  mkdirSync(join(root, 'empty'));
  writeFileSync(join(root, 'a-file'), '');
  const config = (prefix: string): string => join(root, prefix, 'config');
  const host = fakeHost({
    procDir,
    locks: {
      [config('alive')]: { locked: true, pid: 100 },
      [config('begun')]: { locked: true, pid: 101 },
      [config('far')]: { locked: true, pid: 0 },
      [config('locked-out')]: Object.assign(new Error('no'), { code: 'ERR_SYSTEM', errno: 'EACCES' }),
    },
  });
  const found = findPrimaries(root, host);
  t.same(
    found.map(({ filePrefix, state, pid }) => [filePrefix, state, pid]),
    [
      ['alive', 'running', 100],
      ['begun', 'starting', 101],
      ['far', 'running', undefined],
      ['gone', 'dead', undefined],
      ['locked-out', 'unreadable', undefined],
    ],
  );
  t.match(found[0], {
    version: { text: '22.11.11' },
    process: {
      program: 'dpdk-app',
      commandLine: ['dpdk-app', '-l', '0'],
      startTicks: 4200,
      startTime: new Date((1700000000 + 42) * 1000),
    },
  });
  t.equal(found[1]?.process, undefined, 'a process that ended meanwhile');
});

t.test('primaries without shared configuration show by their telemetry', async (t) => {
  const root = t.testdir();
  const dir = makeRuntimeDir(root, 'rte', { 'dpdk_telemetry.v2': '', 'dpdk_telemetry.v2:1': '' });
  const info = (pid: number): Record<string, unknown> => ({ '/info': { version: 'DPDK 22.11.11', pid } });
  const answers = { [join(dir, 'dpdk_telemetry.v2')]: info(7), [join(dir, 'dpdk_telemetry.v2:1')]: info(8) };
  const found = findPrimaries(root, fakeHost({ answers }));
  t.match(found, [
    { state: 'running', shared: false, pid: 7, version: { text: '22.11.11' } },
    { state: 'running', shared: false, pid: 8 },
  ]);
});

t.test('a root that is absent holds no primaries, one that is closed is an error', async (t) => {
  const root = t.testdir({ closed: {} });
  t.same(findPrimaries(join(root, 'nothing'), fakeHost()), []);
  const closed = join(root, 'closed');
  chmodSync(closed, 0);
  const look = (): Primary[] => findPrimaries(closed, fakeHost());
  asNobody(() => t.throws(look, { code: 'ERR_PERMISSION', errno: 'EACCES', subject: closed }));
  chmodSync(closed, 0o700);
});

/** Root may read everything: look as somebody else. */
function asNobody(body: () => void): void {
  const root = process.geteuid?.() === 0;
  if (root) process.seteuid?.(65534);
  try {
    body();
  } finally {
    if (root) process.seteuid?.(0);
  }
}

function primary(filePrefix: string, state: Primary['state'] = 'running', pid = 1): Primary {
  const rest = { process: undefined, version: undefined, reason: 'why', shared: true };
  return { filePrefix, runtimeDir: `/r/${filePrefix}`, state, pid, ...rest };
}

const [A, B, DEAD, CLOSED] = [
  primary('a', 'running', 11),
  primary('b'),
  primary('d', 'dead'),
  primary('c', 'unreadable'),
];
const CHOICES: [string, Primary[], string | undefined, string][] = [
  ['the only one', [A, DEAD], undefined, 'a'],
  ['the only one, though another is closed', [A, CLOSED], undefined, 'a'],
  ['the only one that shares', [A, { ...B, shared: false }], undefined, 'a'],
  ['one that does not share, by prefix', [A, { ...B, shared: false }], 'b', 'b'],
  ['by prefix', [A, B], 'b', 'b'],
  ['a starting one', [primary('s', 'starting')], undefined, 's'],
];
for (const [name, primaries, prefix, expected] of CHOICES) {
  t.equal(choosePrimary(primaries, prefix).filePrefix, expected, name);
}

const REFUSALS: [string, Primary[], string | undefined, string, RegExp][] = [
  ['none', [], undefined, 'ERR_PRIMARY_ABSENT', /start the DPDK application/],
  ['only a dead one', [DEAD], undefined, 'ERR_PRIMARY_ABSENT', /start the DPDK application/],
  ['several', [A, B], undefined, 'ERR_PRIMARY_AMBIGUOUS', /a \(pid 11\), b/],
  ['wrong prefix', [A, B], 'x', 'ERR_PRIMARY_ABSENT', /running: a \(pid 11\), b/],
  ['a dead prefix', [A, DEAD], 'd', 'ERR_PRIMARY_ABSENT', /again/],
  ['a closed prefix', [A, CLOSED], 'c', 'ERR_PERMISSION', /as the user/],
  ['only a closed one', [CLOSED], undefined, 'ERR_PERMISSION', /as the user/],
  ['an impossible prefix', [A], '../a', 'ERR_USAGE', /without/],
];
for (const [name, primaries, prefix, code, hint] of REFUSALS) {
  t.test(`refuses: ${name}`, async (t) => {
    t.throws(() => choosePrimary(primaries, prefix), { code, hint } as unknown as DpcapError);
  });
}

t.test('an impossible prefix is a usage error even where no primary ever ran', async (t) => {
  t.throws(() => choosePrimary([], '../etc'), { exitCode: 2, message: /--file-prefix|prefix/ });
});

/** What is chosen, or the refusal. */
function choice(primaries: readonly Primary[], prefix: string | undefined): unknown {
  try {
    return choosePrimary(primaries, prefix);
  } catch (error) {
    return [(error as DpcapError).code, (error as DpcapError).message];
  }
}

t.test('a choice that is decided here is not changed by what is elsewhere', async (t) => {
  const PRIMARY = fc.record({
    filePrefix: fc.constantFrom('a', 'b'),
    state: fc.constantFrom('running' as const, 'starting' as const, 'dead' as const, 'unreadable' as const),
    pid: fc.integer({ min: 1, max: 9 }),
    shared: fc.boolean(),
  });
  const made = ({
    filePrefix,
    state,
    pid,
    shared,
  }: Pick<Primary, 'filePrefix' | 'state' | 'shared'> & { pid: number }) => ({
    ...primary(filePrefix, state, pid),
    shared,
  });
  const elsewhere = { variable: undefined, isHidden: false };
  fc.assert(
    fc.property(
      fc.array(PRIMARY, { maxLength: 4 }),
      fc.array(PRIMARY, { maxLength: 4 }),
      fc.constantFrom(undefined, 'a'),
      (near, far, prefix) => {
        const here = near.map(made);
        if (!isDecidedHere(here, prefix)) return;
        const all = [...here, ...far.map((one) => ({ ...made(one), runtimeDir: `/e/${one.filePrefix}`, elsewhere }))];
        t.same(choice(all, prefix), choice(here, prefix));
      },
    ),
  );
});
