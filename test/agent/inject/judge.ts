import t from 'tap';
import type { Asker, Target } from '../../../src/agent/inject/facts.js';
import { judge, type Verdict } from '../../../src/agent/inject/judge.js';
import { DpcapError } from '../../../src/errors.js';
import type { AgentHello } from '../../../src/native/agent-binding.js';

const ROOT: Asker = { uid: 0, canTraceAll: true, yama: 0, memfdNoexec: 0, hasTrampoline: true };
const USER: Asker = { ...ROOT, uid: 1000, canTraceAll: false };
const DPDK = { is64Bit: true, isThere: true, abi: 23, runtimeDir: '/run/dpdk/rte', hasAgentLibrary: false };
const PLACES = {
  functions: { dlopen: 1n, dlerror: 2n, memfd_create: 3n, close: 4n },
  code: 0x1000n,
  report: 0x2000n,
};
const SOUND: Target = {
  pid: 7,
  program: 'router',
  startTicks: 42,
  state: 'S',
  tracerPid: 0,
  uids: [0, 0, 0, 0],
  hasSeccomp: false,
  hasShadowStack: false,
  dpdk: DPDK,
  mapped: { hasGlibc: true, places: PLACES },
  threads: [],
  agent: undefined,
  sharesFiles: true,
  sharesUsers: true,
  forbiddenBy: undefined,
  where: { pid: 7, innerPid: 7, uid: 0, root: '' },
};

function verdictOf(change: Partial<Target>, asker: Asker = ROOT, despiteSeccomp = false): Verdict {
  return judge(7, { ...SOUND, ...change }, asker, (abi) => `/usr/lib/dpcap/agent.${abi}.so`, { despiteSeccomp });
}

t.test('nothing speaks against it', async (t) => {
  t.match(verdictOf({}), { kind: 'possible', plan: { library: '/usr/lib/dpcap/agent.23.so', delivery: 'path' } });
  t.match(verdictOf({ sharesFiles: false }), { kind: 'possible', plan: { delivery: 'memfd' } });
  t.match(verdictOf({ uids: [1000, 1000, 1000, 1000] }, USER), { kind: 'possible' }, "a user's own process");
  t.match(
    verdictOf({ uids: [1000, 1000, 1000, 1000] }),
    { kind: 'possible', plan: { delivery: 'memfd' } },
    'from root',
  );
  t.match(verdictOf({ hasSeccomp: true }, ROOT, true), { kind: 'possible' });
  t.match(verdictOf({ sharesFiles: true }, { ...ROOT, memfdNoexec: 2 }), { kind: 'possible' }, 'none is needed');
});

t.test('it is there already', async (t) => {
  const agent = { socket: '/run/dpdk/rte/dpcap_agent_7', hello: { program: 'router' } as AgentHello };
  t.match(verdictOf({ agent, dpdk: { ...DPDK, hasAgentLibrary: true } }), { kind: 'present', agent });
});

const OWN = [1000, 1000, 1000, 1000];
const REFUSALS: [string, Partial<Target>, Asker, string, string, RegExp][] = [
  ['a zombie', { state: 'Z' }, ROOT, 'ERR_PRIMARY_ABSENT', 'ESRCH', /has ended/],
  ["another user's", {}, USER, 'ERR_PERMISSION', 'EPERM', /another user/],
  ['with a saved user id', { uids: [1000, 1000, 0, 1000] }, USER, 'ERR_PERMISSION', 'EPERM', /another user/],
  ['under Yama', { uids: OWN }, { ...USER, yama: 1 }, 'ERR_PERMISSION', 'EPERM', /ptrace_scope is 1/],
  ['under Yama, for all', {}, { ...ROOT, yama: 3 }, 'ERR_PERMISSION', 'EPERM', /nobody trace/],
  ['that cannot be read', { dpdk: undefined }, ROOT, 'ERR_PERMISSION', 'EACCES', /cannot be looked at/],
  ['on another machine', {}, { ...ROOT, hasTrampoline: false }, 'ERR_INJECT_REFUSED', 'ENOSYS', /x86-64/],
  ['of 32 bits', { dpdk: { ...DPDK, is64Bit: false } }, ROOT, 'ERR_INJECT_REFUSED', 'ENOEXEC', /32 bits/],
  ['without DPDK', { dpdk: { ...DPDK, isThere: false } }, ROOT, 'ERR_PRIMARY_ABSENT', 'ENOENT', /no DPDK/],
  ['traced', { tracerPid: 9 }, ROOT, 'ERR_INJECT_REFUSED', 'EBUSY', /traced by process 9/],
  ['stopped', { state: 'T' }, ROOT, 'ERR_PRIMARY_STOPPED', 'EAGAIN', /is stopped/],
  [
    'with a silent agent',
    { dpdk: { ...DPDK, hasAgentLibrary: true } },
    ROOT,
    'ERR_INJECT_REFUSED',
    'EEXIST',
    /not answer/,
  ],
  ['of no release', { dpdk: { ...DPDK, abi: undefined } }, ROOT, 'ERR_VERSION_MISMATCH', 'ENOENT', /release/],
  ['static', { mapped: { hasGlibc: false, places: undefined } }, ROOT, 'ERR_INJECT_REFUSED', 'ENOEXEC', /no glibc/],
  ['that forbids it', { forbiddenBy: '/f' }, ROOT, 'ERR_INJECT_REFUSED', 'EPERM', /there is \/f/],
  ['with shadow stacks', { hasShadowStack: true }, ROOT, 'ERR_INJECT_REFUSED', 'ENOTSUP', /shadow stacks/],
  ['with seccomp', { hasSeccomp: true }, ROOT, 'ERR_INJECT_REFUSED', 'EPERM', /seccomp/],
  [
    'elsewhere',
    { sharesFiles: false },
    { ...ROOT, memfdNoexec: 1 },
    'ERR_INJECT_REFUSED',
    'EACCES',
    /memfd_noexec is 1/,
  ],
  ['of other users', { sharesUsers: false }, ROOT, 'ERR_INJECT_REFUSED', 'EPERM', /user namespace/],
  ['without room', { mapped: { hasGlibc: true, places: undefined } }, ROOT, 'ERR_INJECT_REFUSED', 'ENOSPC', /no room/],
];
for (const [name, change, asker, code, errno, message] of REFUSALS) {
  t.test(`a process ${name}`, async (t) => {
    const verdict = verdictOf(change, asker);
    t.match(verdict, { kind: 'refused', error: { code, errno, message } });
    t.match(verdict.kind === 'refused' && verdict.error.hint, /\S/, 'with what to do next');
  });
}

t.test('no process, no library', async (t) => {
  const consent = { despiteSeccomp: false };
  t.match(
    judge(7, undefined, ROOT, () => '', consent),
    { error: { code: 'ERR_PRIMARY_ABSENT', errno: 'ESRCH' } },
  );
  const none = new DpcapError('ERR_VERSION_MISMATCH', 'there is no agent for it');
  t.same(
    judge(7, SOUND, ROOT, () => none, consent),
    { kind: 'refused', error: none },
  );
});
