import t from 'tap';
import { examine } from '../../src/cli/commands/doctor.js';
import { type Check, exitCodeOf, formatChecks } from '../../src/doctor/check.js';
import type { DoctorView, PrimaryView } from '../../src/doctor/gather.js';
import { DpcapError } from '../../src/errors.js';
import type { Primary } from '../../src/primary/discover.js';
import { TESTPMD_OPS } from '../primary/helpers/fake-host.js';

const YES = { verdict: 'yes' as const, reasons: [], warnings: [] };
const reason = { code: 'ERR_PRIMARY_NOT_CAPTURABLE' as const, message: 'no pdump', hint: 'call it' };
const NO = { verdict: 'no' as const, reasons: [reason], warnings: [] };

function primaryView(filePrefix: string, some: Partial<PrimaryView> = {}, facts: Partial<Primary> = {}): PrimaryView {
  const version = { number: 0x160b0b63, text: '22.11.11' };
  const place = { filePrefix, runtimeDir: `/r/${filePrefix}`, shared: true, process: undefined, reason: undefined };
  return {
    primary: { ...place, state: 'running', pid: 7, version, ...facts },
    facts: {
      hasMpSocket: true,
      hasHugepageInfo: true,
      memzones: ['rte_pdump_stats'],
      otherLimits: undefined,
      ealArguments: [],
      telemetrySocket: undefined,
      secondaries: [],
      stopped: [],
      needs: undefined,
      uid: 0,
    },
    capturability: YES,
    origin: undefined,
    ops: { names: TESTPMD_OPS, source: '/bin/app' },
    stale: undefined,
    probesLack: undefined,
    agent: undefined,
    ...some,
  };
}

function view(some: Partial<DoctorView> = {}): DoctorView {
  return {
    uid: 0,
    nodeVersion: '20.20.2',
    addon: { pcap: 'libpcap version 1.10.3', dpdk: [{ line: '22.11 to 23.07', found: '22.11.11' }] },
    hugepages: [{ sizeKb: 2048, total: 512, free: 400 }],
    mounts: [{ path: '/dev/hugepages', writable: true }],
    root: '/var/run/dpdk',
    otherRoots: [],
    primaries: [primaryView('rte')],
    boxes: [],
    badBoxes: [],
    filePrefix: undefined,
    ...some,
  };
}

t.test('a healthy machine', async (t) => {
  const checks = examine(view());
  t.same(new Set(checks.map((check) => check.status)), new Set(['ok']));
  t.equal(exitCodeOf(checks), 0);
  t.match(formatChecks(checks), /0 warn, 0 failed$/);
});

t.test('what recorders left', async (t) => {
  const box = {
    path: '/dev/shm/dpcap_recorder_0/dpcap_box_7_1',
    pid: 7,
    program: 'nf',
    bytes: 2 ** 28,
    isRecording: true,
  };
  t.match(examine(view({ boxes: [box] })).at(-1), { status: 'ok', detail: 'on in nf, pid 7, 256.0 MiB' });
  t.match(examine(view({ boxes: [{ ...box, isRecording: false }] })).at(-1), {
    status: 'warn',
    detail: /nf, pid 7, has ended and left 256\.0 MiB of memory in \/dev\/shm/,
    remedy: /dpcap recover --box \/dev\/shm\/dpcap_recorder_0\/dpcap_box_7_1/,
  });
  const error = new DpcapError('ERR_VERSION_MISMATCH', `${box.path}: the black box is of version 9`);
  t.match(examine(view({ badBoxes: [{ path: box.path, error }] })).at(-1), {
    status: 'warn',
    detail: /not read: .*of version 9/,
    remedy: /^remove it: dpcap recover --box \/dev\/shm/,
  });
});

const busy = {
  ...YES,
  warnings: [{ code: 'ERR_CAPTURE_BUSY' as const, message: 'dumpcap is attached', hint: 'stop it' }],
};
const facts = primaryView('rte').facts;
const CASES: [string, Partial<DoctorView>, Partial<Check>, RegExp][] = [
  ['old node', { nodeVersion: '18.19.1' }, { name: 'node', status: 'fail' }, /install Node/],
  ['newer node', { nodeVersion: '22.1.0' }, { name: 'node', status: 'ok' }, /^$/],
  ['no addon', { addon: new DpcapError('ERR_ADDON_LOAD', 'no') }, { name: 'addon', status: 'fail' }, /build/],
  [
    'no libpcap',
    { addon: { pcap: new DpcapError('ERR_ADDON_LOAD', 'no libpcap'), dpdk: [{ line: '22.11', found: '22.11.11' }] } },
    { name: 'addon', status: 'fail' },
    /libpcap0\.8/,
  ],
  [
    'no DPDK',
    { addon: { pcap: 'libpcap', dpdk: [{ line: '22.11', found: new DpcapError('ERR_ADDON_LOAD', 'gone') }] } },
    { name: 'DPDK', status: 'warn' },
    /apt install dpdk/,
  ],
  ['a user', { uid: 1000 }, { name: 'user', status: 'warn' }, /root/],
  [
    'no huge pages',
    { hugepages: [{ sizeKb: 2048, total: 0, free: 0 }] },
    { name: 'huge pages', status: 'fail' },
    /nr_hugepages/,
  ],
  [
    'none free',
    { hugepages: [{ sizeKb: 1048576, total: 4, free: 0 }] },
    { name: 'huge pages', status: 'warn' },
    /reserve/,
  ],
  ['not mounted', { mounts: [] }, { name: 'hugetlbfs', status: 'fail' }, /mount -t/],
  ['read-only', { mounts: [{ path: '/h', writable: false }] }, { name: 'hugetlbfs', status: 'fail' }, /user/],
  ['other roots', { otherRoots: ['/tmp/dpdk'] }, { name: 'runtime root', status: 'warn' }, /RUNTIME_DIRECTORY=\/tmp /],
  ['none', { primaries: [] }, { name: 'primaries', status: 'fail' }, /start the DPDK/],
  [
    'closed root',
    { primaries: new DpcapError('ERR_PERMISSION', 'x', { hint: 'be root' }) },
    { name: 'primaries', status: 'fail' },
    /be root/,
  ],
  ['wrong prefix', { filePrefix: 'x' }, { name: 'primaries', status: 'fail' }, /running: rte/],
  [
    'several',
    { primaries: [primaryView('a'), primaryView('b')] },
    { name: 'primaries', status: 'warn' },
    /--file-prefix: a/,
  ],
  [
    'a dead one',
    { primaries: [primaryView('d', { capturability: NO }, { state: 'dead' })] },
    { name: 'd: process', status: 'warn' },
    /harmless/,
  ],
  [
    'not capturable',
    { primaries: [primaryView('rte', { capturability: NO })] },
    { name: 'rte: capturable', status: 'fail' },
    /call it/,
  ],
  [
    'another one is',
    { primaries: [primaryView('a', { capturability: NO }), primaryView('b')] },
    { name: 'a: capturable', status: 'warn' },
    /call it/,
  ],
  [
    'the one asked for is not',
    { filePrefix: 'a', primaries: [primaryView('a', { capturability: NO }), primaryView('b')] },
    { name: 'a: capturable', status: 'fail' },
    /call it/,
  ],
  [
    'pdump unseen',
    { primaries: [primaryView('rte', { facts: { ...facts, memzones: undefined } })] },
    { name: 'rte: pdump', status: 'warn' },
    /attach/,
  ],
  [
    'ops unread',
    { primaries: [primaryView('rte', { ops: { names: undefined, reason: 'EACCES' } })] },
    { name: 'rte: mempool ops', status: 'warn' },
    /root/,
  ],
  [
    'ops elsewhere',
    { primaries: [primaryView('rte', { ops: undefined })] },
    { name: 'rte: mempool ops', status: 'warn' },
    /namespace/,
  ],
  [
    'a tool',
    { primaries: [primaryView('rte', { capturability: busy })] },
    { name: 'rte: other captures', status: 'warn' },
    /stop it/,
  ],
  [
    'a killed tool',
    { primaries: [primaryView('rte', { facts: { ...facts, memzones: ['RG_dumpcap-7'] } })] },
    { name: 'rte: other captures', status: 'warn' },
    /restart/,
  ],
  [
    'stale captures',
    { primaries: [primaryView('rte', { stale: [{ pid: 9, description: 'port 0' }] })] },
    { name: 'rte: stale captures', status: 'warn', detail: 'pid 9 left port 0' },
    /dpcap recover --file-prefix rte/,
  ],
  [
    'no stale captures',
    { primaries: [primaryView('rte', { stale: [] })] },
    { name: 'rte: stale captures', status: 'ok' },
    /^$/,
  ],
];
for (const [name, some, expected, remedy] of CASES) {
  t.test(name, async (t) => {
    const checks = examine(view(some));
    const found = checks.find((check) => check.name === expected.name);
    t.match(found, expected);
    t.match(found?.remedy ?? '', remedy);
    t.equal(exitCodeOf(checks), checks.some((check) => check.status === 'fail') ? 1 : 0);
    for (const check of checks) if (check.status !== 'ok') t.ok(check.remedy, `${check.name} has a remedy`);
  });
}
t.match(formatChecks(examine(view({ mounts: [] }))), /fail +hugetlbfs +not mounted\n {6}mount it/);

const AGENT = {
  ...{
    pid: 7,
    peerPid: 7,
    isInjected: false,
    canMirror: true,
    canTunnel: true,
    isPrimary: true,
    filters: 'compiled' as const,
    dpdkVersion: 'DPDK 22.11.11',
    program: 'router',
  },
  ports: [{ id: 0, name: 'net0', driver: 'x', mac: '', rxQueues: 1, txQueues: 1, mtu: 1500, linkMbps: 0 }],
};

t.test('a process that nobody can join, with an agent', async (t) => {
  const checks = examine(view({ primaries: [primaryView('rte', { capturability: NO, agent: AGENT })] }));
  t.equal(exitCodeOf(checks), 0);
  const text = formatChecks(checks);
  t.match(text, /^ok +rte: agent +answers in pid 7, ports net0; filters: compiled$/m);
  t.match(text, /^ok +rte: capturable +through its agent alone$/m);
  const captureBy = 'RUNTIME_DIRECTORY=/run/app dpcap --file-prefix rte -i any';
  const elsewhere = examine(view({ primaries: [primaryView('rte', { agent: AGENT, captureBy })] }));
  t.match(formatChecks(elsewhere), /answers in pid 7,.*; capture: RUNTIME_DIRECTORY=\/run\/app dpcap/);
});

t.test('an agent that does not answer', async (t) => {
  const agent = new DpcapError('ERR_PRIMARY_TIMEOUT', 'the agent does not answer');
  const checks = examine(view({ primaries: [primaryView('rte', { agent })] }));
  t.match(
    formatChecks(checks),
    /^warn +rte: agent +the agent does not answer\n +captures go through pdump: --via pdump$/m,
  );
});

t.test('who may delay a capture on a release that asks secondaries', async (t) => {
  const one = (pid: number, some: object) => ({
    ...{ pid, program: 'app', captures: false, ours: false, lacksPdump: false, socket: '', joinedMs: 0, ...some },
  });
  const secondaries = [one(7, { lacksPdump: true }), one(8, {}), one(9, { ours: true, lacksPdump: true })];
  const found = (version: { number: number; text: string }): Check[] =>
    examine(view({ primaries: [primaryView('rte', { facts: { ...facts, secondaries } }, { version })] })).filter(
      ({ name }) => name === 'rte: secondaries',
    );
  t.same(found({ number: 0x190b0463, text: '25.11.4' }).length, 2);
  t.match(found({ number: 0x190b0463, text: '25.11.4' }), [
    { status: 'warn', detail: /^app \(pid 7\) cannot have called rte_pdump_init/, remedy: /5 s .* end it/ },
    { status: 'ok', detail: /^app \(pid 8\): a capture asks/ },
  ]);
  t.same(found({ number: 0x180b0863, text: '24.11.8' }), []);
});
