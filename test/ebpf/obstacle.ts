import t from 'tap';
import { gatherProbeFacts, harmOfReturnProbe, type ProbeFacts, probeObstacle } from '../../src/ebpf/obstacle.js';
import { DpcapError } from '../../src/errors.js';

const ALL = (1n << 41n) - 1n;
const ABLE: ProbeFacts = {
  isBuilt: true,
  addonFault: undefined,
  kernel: '6.1.0-28-amd64',
  capabilities: ALL,
  hasUprobes: true,
  lockdown: '',
  arch: 'x64',
  status: '',
};
const FILTERED = 'Name:\tnode\nSeccomp:\t0\n\nName:\tworker\nSeccomp:\t2\nSeccomp_filters:\t1\n';
const SHADOWED = 'x86_Thread_features:\tshstk \nx86_Thread_features_locked:\tshstk wrss \n';
const NO_LIBRARY = new DpcapError('ERR_ADDON_LOAD', 'libbpf.so.1 is not there');
const without = (...bits: bigint[]): bigint => bits.reduce((all, bit) => all & ~(1n << bit), ALL);

const CASES: [name: string, change: Partial<ProbeFacts>, code: string, words: RegExp][] = [
  ['not built', { isBuilt: false }, 'ERR_ADDON_LOAD', /built without probes/],
  ['no libbpf', { addonFault: NO_LIBRARY }, 'ERR_ADDON_LOAD', /libbpf/],
  ['an old kernel', { kernel: '5.16.20' }, 'ERR_ENABLE_FAILED', /Linux 5\.16\.20 is too old .* 5\.17 is the first/],
  ['a very old kernel', { kernel: '4.19.0' }, 'ERR_ENABLE_FAILED', /too old/],
  ['no uprobes', { hasUprobes: false }, 'ERR_ENABLE_FAILED', /no uprobes/],
  ['no capability', { capabilities: 0n }, 'ERR_PERMISSION', /need CAP_BPF, CAP_PERFMON, CAP_SYS_PTRACE/],
  ['without CAP_BPF', { capabilities: without(21n, 39n) }, 'ERR_PERMISSION', /need CAP_BPF$/],
  ['seccomp', { kernel: '6.12.9', status: FILTERED }, 'ERR_ENABLE_FAILED', /tries probes on itself .*seccomp/],
  ['lockdown', { lockdown: 'none integrity [confidentiality]' }, 'ERR_PERMISSION', /locked down/],
];

t.test('what stands in the way', async (t) => {
  for (const [name, change, code, message] of CASES) {
    t.match(probeObstacle({ ...ABLE, ...change }), { code, message, hint: /./ }, name);
  }
});

t.test('what does not', async (t) => {
  t.equal(probeObstacle(ABLE), undefined);
  t.equal(probeObstacle({ ...ABLE, kernel: '5.17.0' }), undefined);
  t.equal(probeObstacle({ ...ABLE, lockdown: '[none] integrity confidentiality' }), undefined);
  t.equal(probeObstacle({ ...ABLE, capabilities: without(38n, 39n) }), undefined, 'CAP_SYS_ADMIN stands for both');
  t.equal(probeObstacle({ ...ABLE, capabilities: without(21n) }), undefined);
});

t.test('where a return probe may end a process', async (t) => {
  const harm = (kernel: string, status: string, arch = 'x64'): string | undefined =>
    harmOfReturnProbe({ kernel, arch, status });
  for (const kernel of ['6.11.0', '6.12.9+deb13-amd64', '6.13.1']) t.match(harm(kernel, FILTERED), /seccomp/, kernel);
  for (const kernel of ['6.6.0', '6.10.14']) t.match(harm(kernel, SHADOWED), /shadow stacks/, kernel);
  for (const kernel of ['6.1.0', '6.10.0', '6.14.0', '7.0.0']) t.equal(harm(kernel, FILTERED), undefined, kernel);
  for (const kernel of ['6.5.0', '6.11.0', '7.8.0']) t.equal(harm(kernel, SHADOWED), undefined, kernel);
  t.equal(harm('6.12.0', 'Seccomp:\t0\nSeccomp_filters:\t0\n'), undefined);
  t.equal(harm('6.8.0', 'x86_Thread_features:\t\nx86_Thread_features_locked:\tshstk\n'), undefined);
  t.equal(harm('6.12.0', FILTERED, 'arm64'), undefined);
});

t.test('this machine tells everything that is asked', async (t) => {
  t.match(gatherProbeFacts(), { kernel: /^\d+\.\d+/, capabilities: BigInt, hasUprobes: Boolean });
  t.match(gatherProbeFacts(t.testdir(), t.testdir()), { capabilities: 0n, hasUprobes: false, lockdown: '' });
});
