import { join } from 'node:path';
import t from 'tap';
import { DpcapError } from '../../src/errors.js';
import { assess, gatherFacts, inspect, type PrimaryFacts, requireCapturable } from '../../src/primary/capturable.js';
import type { Primary } from '../../src/primary/discover.js';
import type { Libraries } from '../../src/primary/joining/libraries.js';
import type { ProcessInfo } from '../../src/system/process.js';
import { fakeHost, makeProcess, makeRuntimeDir, VERSION } from './helpers/fake-host.js';

const OURS = { number: VERSION, text: '22.11.11' };
const OLD = { number: 0x160b0a63, text: '22.11.10' };
/** The libraries of a machine with 22.11.11. */
const librariesOf = ({ version }: Primary): Libraries | DpcapError =>
  version === OLD
    ? new DpcapError('ERR_VERSION_MISMATCH', 'the primary runs DPDK 22.11.10, the libraries here are 22.11.11', {
        hint: 'install the libraries of DPDK 22.11.10, or give their folder with --dpdk-libs',
      })
    : { source: 'host', files: [] };

function primary(facts: Partial<Primary> = {}): Primary {
  const place = { filePrefix: 'rte', runtimeDir: '/r/rte', shared: true, reason: undefined };
  return { ...place, state: 'running', pid: 7, process: undefined, version: OURS, ...facts };
}

function facts(some: Partial<PrimaryFacts> = {}): PrimaryFacts {
  return {
    hasMpSocket: true,
    hasHugepageInfo: true,
    memzones: ['rte_pdump_stats'],
    otherLimits: undefined,
    ealArguments: ['app', '-l', '0'],
    telemetrySocket: undefined,
    secondaries: [],
    stopped: [],
    needs: undefined,
    uid: 0,
    ...some,
  };
}

const owner = { pid: 7, uid: 1000, user: 'app' } as ProcessInfo;
const options = (...words: string[]): PrimaryFacts => facts({ ealArguments: ['app', ...words] });

const NEEDS = { hugepageFiles: 2000, missingDir: undefined, descriptors: 2100, descriptorLimit: 4096 };

const ACCEPTED: [string, Primary, PrimaryFacts, string][] = [
  ['an ordinary one', primary(), facts(), 'yes'],
  ['enough descriptors', primary(), facts({ needs: NEEDS }), 'yes'],
  ['pdump not visible', primary(), facts({ memzones: undefined }), 'unknown'],
  ['of a user, by root', primary({ process: owner }), facts(), 'yes'],
  ['of the same user', primary({ process: owner }), facts({ uid: 1000 }), 'yes'],
  ['harmless unlinking', primary(), options('--huge-unlink=existing', '--huge-dir', '/h'), 'yes'],
];
for (const [name, one, seen, verdict] of ACCEPTED) {
  t.match(assess(one, seen, librariesOf(one)), { verdict, reasons: [], warnings: [] }, name);
}

const NOT = 'ERR_PRIMARY_NOT_CAPTURABLE';
const REFUSED: [string, Primary, PrimaryFacts, string, RegExp, RegExp][] = [
  [
    'huge pages of its own mount namespace',
    primary(),
    facts({ needs: { ...NEEDS, missingDir: '/mnt/huge' } }),
    NOT,
    /in \/mnt\/huge, which is mounted in its own/,
    /nsenter --target 7 --mount/,
  ],
  [
    'other limits of ports',
    primary(),
    facts({ otherLimits: 'its DPDK was built with other limits' }),
    'ERR_VERSION_MISMATCH',
    /built with other limits/,
    /against the DPDK of the application/,
  ],
  [
    'too few descriptors',
    primary(),
    facts({ needs: { ...NEEDS, descriptorLimit: 1024 } }),
    NOT,
    /2100 open files, one for each of its 2000 .* limit is 1024/,
    /ulimit -Hn 4200/,
  ],
  [
    'files in another mount namespace',
    primary({ elsewhere: { variable: undefined, isHidden: true } }),
    facts({ hasMpSocket: false }),
    NOT,
    /another mount namespace \(\/r\/rte there\)/,
    /nsenter/,
  ],
  ['dead', primary({ state: 'dead' }), facts(), 'ERR_PRIMARY_ABSENT', /ended/, /start/],
  ['starting', primary({ state: 'starting' }), facts(), NOT, /rte_eal_init/, /again/],
  ['unreadable', primary({ state: 'unreadable', reason: 'no' }), facts(), 'ERR_PERMISSION', /no/, /user/],
  ['of another user', primary({ process: owner }), facts({ uid: 5 }), 'ERR_PERMISSION', /belongs to app/, /as app/],
  [
    'other version',
    primary({ version: OLD }),
    facts(),
    'ERR_VERSION_MISMATCH',
    /\.10,.*\.11/,
    /install the libraries of DPDK 22\.11\.10/,
  ],
  [
    'DPVS 1.9 on DPDK 20.11',
    primary({ version: { number: 0x140b0a63, text: '20.11.10' }, process: { ...owner, program: 'dpvs' } }),
    facts(),
    'ERR_VERSION_MISMATCH',
    /DPVS on DPDK 20\.11\.10 can be toggled with forward2kni, but not captured from/,
    /dpcap forward2kni PORT on/,
  ],
  [
    'DPVS without pdump',
    primary({ process: { ...owner, program: 'dpvs' } }),
    facts({ memzones: [] }),
    NOT,
    /rte_pdump_init/,
    /pdump on/,
  ],
  ['--in-memory', primary(), options('--in-memory'), NOT, /--in-memory/, /without --in-memory/],
  ['abbreviated', primary(), options('--in-mem'), NOT, /--in-memory/, /restart/],
  ['--no-huge', primary(), options('--no-huge'), NOT, /--no-huge/, /restart/],
  ['--no-shconf', primary(), options('--no-shconf'), NOT, /--no-shconf/, /restart/],
  ['--huge-unlink', primary(), options('--huge-unlink'), NOT, /--huge-unlink/, /restart/],
  ['unshared', primary({ shared: false }), facts(), NOT, /to itself/, /restart/],
  ['no hugepage_info', primary(), facts({ hasHugepageInfo: false }), NOT, /huge pages/, /restart/],
  ['no mp_socket', primary(), facts({ hasMpSocket: false }), NOT, /mp_socket/, /multi-process/],
  [
    'no pdump',
    primary(),
    facts({ memzones: ['x'] }),
    NOT,
    /rte_pdump_init/,
    /call rte_pdump_init\(\) after rte_eal_init/,
  ],
];
for (const [name, one, seen, code, message, hint] of REFUSED) {
  const answer = assess(one, seen, librariesOf(one));
  t.match(answer, { verdict: 'no', reasons: [{ code, message, hint }] }, `refuses: ${name}`);
  t.equal(answer.reasons.length, 1, `one reason: ${name}`);
  t.throws(() => requireCapturable(one, answer), { code, message, hint, subject: 'rte' });
}

t.test('several reasons, the first to act on first', async (t) => {
  const { reasons } = assess(
    primary({ version: OLD }),
    facts({ memzones: [] }),
    librariesOf(primary({ version: OLD })),
  );
  t.match(reasons, [{ code: 'ERR_VERSION_MISMATCH' }, { code: NOT }]);
});

t.test('another capture tool is a warning', async (t) => {
  const tool = {
    pid: 9,
    program: 'dpdk-dumpcap',
    captures: true,
    ours: false,
    lacksPdump: false,
    socket: '',
    joinedMs: 0,
  };
  const idle = {
    pid: 8,
    program: 'dpdk-proc-info',
    captures: false,
    ours: false,
    lacksPdump: false,
    socket: '',
    joinedMs: 0,
  };
  const answer = assess(primary(), facts({ secondaries: [tool, idle] }), librariesOf(primary()));
  t.match(answer, { verdict: 'yes', warnings: [{ code: 'ERR_CAPTURE_BUSY', message: /dpdk-dumpcap \(pid 9\)/ }] });
  t.equal(answer.warnings.length, 1);
  t.doesNotThrow(() => requireCapturable(primary(), answer));
});

t.test('facts come from files first, then from telemetry', async (t) => {
  const top = t.testdir({ run: {}, proc: {} });
  const procDir = join(top, 'proc');
  makeProcess(procDir, 7, ['app', '--no-huge', '--', '--in-memory']);
  const runtimeDir = makeRuntimeDir(join(top, 'run'), 'rte', { 'dpdk_telemetry.v2': '', fbarray_memzone: null });
  const one = primary({ runtimeDir, process: { namespacePids: [7], commandLine: ['app'] } as unknown as ProcessInfo });
  const answers = {
    '/info': { version: 'DPDK 22.11.11', pid: 7 },
    '/eal/params': ['app', '-l', '0', '--', '--in-memory'],
    '/eal/memzone_list': [0],
    '/eal/memzone_info,0': { Name: 'rte_pdump_stats' },
  };
  const host = fakeHost({ procDir, answers: { [join(runtimeDir, 'dpdk_telemetry.v2')]: answers } });
  t.match(gatherFacts(one, host), {
    hasMpSocket: true,
    hasHugepageInfo: true,
    memzones: ['rte_pdump_stats'],
    ealArguments: ['app', '-l', '0'],
  });
  t.equal(inspect(one, host).capturability.verdict, 'yes');
  t.equal(gatherFacts(one, fakeHost()).memzones, undefined, 'neither');
});

t.test('a DPVS on DPDK 20.11 is not said to lack rte_pdump_init(): nothing tells that from outside', async (t) => {
  const program = { pid: 7, program: 'dpvs', commandLine: ['dpvs'] } as unknown as ProcessInfo;
  const old = primary({ process: program, version: { number: 0x140b0a63, text: '20.11.10' } });
  const { reasons } = assess(old, facts({ memzones: ['rte_eth_dev_data'] }), librariesOf(old));
  t.match(reasons, [{ code: 'ERR_VERSION_MISMATCH', message: /forward2kni/ }]);
  t.equal(reasons.length, 1);
});
