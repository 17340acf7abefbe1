import t from 'tap';
import { gatherProbeFacts, type ProbeFacts, probeObstacle } from '../../src/ebpf/obstacle.js';
import { DpcapError } from '../../src/errors.js';

const ALL = (1n << 41n) - 1n;
const ABLE: ProbeFacts = {
  isBuilt: true,
  addonFault: undefined,
  kernel: '6.1.0-28-amd64',
  capabilities: ALL,
  hasUprobes: true,
  lockdown: '',
};
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

t.test('this machine tells everything that is asked', async (t) => {
  t.match(gatherProbeFacts(), { kernel: /^\d+\.\d+/, capabilities: BigInt, hasUprobes: Boolean });
  t.match(gatherProbeFacts(t.testdir(), t.testdir()), { capabilities: 0n, hasUprobes: false, lockdown: '' });
});
