/** Real primaries, looked at from outside. */
import { execFileSync, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { inspect } from '../../src/primary/capturable.js';
import { choosePrimary } from '../../src/primary/choose.js';
import { findPrimaries, type Primary } from '../../src/primary/discover.js';
import { systemHost } from '../../src/primary/host.js';
import { readOpsTable } from '../../src/primary/memory/mempool-ops.js';
import { RING_BLOCK } from '../../src/primary/memory/ring-block.js';
import { captureToolZones } from '../../src/primary/secondaries.js';
import { ports, telemetrySocket, unwrap } from '../../src/primary/telemetry.js';
import { readMemory } from '../../src/system/process-memory.js';
import { type HostPrimary, skipReason, startHostPrimary } from '../harness/host-primary.js';
import { installedDpdk } from '../helpers/native.js';

const ROOT = '/var/run/dpdk';
const DPCAP = fileURLToPath(new URL('../../../bin/dpcap.cjs', import.meta.url));
const skip = skipReason() ?? false;

/** `rte_mempool.ops_index` of the pool that testpmd made, from its memory: says what the table must say. */
function opsIndexOfPool(socket: string, pid: number): number {
  const { addon } = systemHost();
  const ids = unwrap(addon.telemetry(socket, '/eal/memzone_list', 500)) as number[];
  const commands = ids.map((id) => `/eal/memzone_info,${id}`);
  const zones = addon.telemetryAll(socket, commands, 500).map((text) => unwrap(text) as Record<string, string>);
  const pool = zones.find((zone) => zone.Name === 'MP_mb_pool_0');
  // 88: its offset in 21.11 to 25.11 on 64-bit machines.
  return readMemory(`/proc/${pid}`, BigInt(pool?.Address ?? 0) + 88n, 4).readUInt32LE();
}

function find(primary: HostPrimary): Primary {
  return choosePrimary(findPrimaries(ROOT, systemHost()), primary.filePrefix);
}

/** Where the table of handlers may be: in its library, or in the executable, into which a COPY relocation moves it. */
function tableIn(program: string): RegExp {
  return new RegExp(`^${program}$|/librte_mempool\\.so`);
}

t.test('a stock testpmd', { skip }, async (t) => {
  const host = systemHost();
  const testpmd = await startHostPrimary();
  t.teardown(() => testpmd.clean());

  t.test('is found with all that can be known', async (t) => {
    t.same(host.addon.lockHolder(join(testpmd.runtimeDir, 'config')), { locked: true, pid: testpmd.pid });
    const primary = find(testpmd);
    const { number, text } = installedDpdk();
    const version = { number, text };
    t.match(primary, { state: 'running', shared: true, pid: testpmd.pid, version });
    t.match(primary.process, { program: 'dpdk-testpmd', user: 'root' });
    const { facts, capturability } = inspect(primary, host);
    t.same(capturability, { verdict: 'yes', reasons: [], warnings: [] });
    t.ok(facts.memzones?.includes('rte_pdump_stats'));
    t.equal(facts.ealArguments[0], '/usr/bin/dpdk-testpmd');
  });

  t.test('its handler table is read exactly', async (t) => {
    const reading = readOpsTable(testpmd.pid, host.addon.opsLayout);
    if (!reading.names) return t.fail(reading.reason);
    t.comment(`${reading.source}: ${reading.names.join(' ')}`);
    t.equal(reading.names[0], 'dpaa', 'the one driver that Debian links testpmd with');
    const index = opsIndexOfPool(join(testpmd.runtimeDir, 'dpdk_telemetry.v2'), testpmd.pid);
    t.equal(reading.names.indexOf('ring_mp_mc'), index, `ring_mp_mc is ${index}, as in its own pool`);
    const places = RING_BLOCK.map((name) => reading.names.indexOf(name)).sort((a, b) => a - b);
    t.same(
      places,
      RING_BLOCK.map((_, at) => (places[0] ?? -1) + at),
      'one behind the other, in some order',
    );
    t.match(reading, { source: tableIn('/usr/bin/dpdk-testpmd') });
    return undefined;
  });

  t.test('its ports', async (t) => {
    const found = ports(telemetrySocket(find(testpmd), host) ?? '', host);
    const common = { rxQueues: 1, txQueues: 1, mtu: 1500, link: 'up', promiscuous: true };
    t.match(found, [
      { id: 0, name: 'net_null0', ...common },
      { id: 1, name: 'net_null1', ...common },
    ]);
    t.match(found?.[0]?.mac, /^([0-9a-f]{2}:){5}[0-9a-f]{2}$/);
  });

  t.test('dpcap list and doctor', async (t) => {
    const text = execFileSync('node', [DPCAP, 'list'], { encoding: 'utf8' });
    t.match(
      text,
      new RegExp(`${testpmd.filePrefix} +${testpmd.pid} +dpdk-testpmd +root +[0-9.]+ +yes\\n  port 0 +net_null0`),
    );
    t.equal(execFileSync('node', [DPCAP, '-D', '--json'], { encoding: 'utf8' }).split('\n').length, 2, 'one line');
    const json = execFileSync('node', [DPCAP, 'list', '--json', '--file-prefix', testpmd.filePrefix], {
      encoding: 'utf8',
    });
    t.match(JSON.parse(json), { primaries: [{ file_prefix: testpmd.filePrefix }] });
    t.equal(JSON.parse(json).primaries.length, 1);
    const nobody = spawnSync('node', [DPCAP, '-D', '--file-prefix', 'dpcap-nonesuch'], { encoding: 'utf8' });
    t.match(nobody, { status: 1, stderr: /file prefix dpcap-nonesuch/ });
    const doctor = spawnSync('node', [DPCAP, 'doctor', '--file-prefix', testpmd.filePrefix], { encoding: 'utf8' });
    t.match(doctor.stdout, /ring_mp_mc at index \d+ of/);
    t.match(doctor.stdout, / 0 failed\n$/);
    t.equal(doctor.status, 0);
  });

  t.test('stopped, it is still found, and in bounded time', async (t) => {
    testpmd.signal('SIGSTOP');
    t.teardown(() => testpmd.signal('SIGCONT'));
    const before = Date.now();
    const error = t.throws(() => host.addon.telemetry(join(testpmd.runtimeDir, 'dpdk_telemetry.v2'), '/info', 200));
    t.match(error, { errno: 'ETIMEDOUT' });
    const primary = find(testpmd);
    t.equal(primary.state, 'running');
    t.equal(inspect(primary, host).facts.telemetrySocket, undefined);
    t.ok(Date.now() - before < 3000);
  });

  t.test('killed, it is dead and its files are left', async (t) => {
    testpmd.signal('SIGCONT');
    await testpmd.end('SIGKILL');
    const primary = findPrimaries(ROOT, host).find((one) => one.filePrefix === testpmd.filePrefix);
    t.match(primary, { state: 'dead', pid: undefined, version: { text: installedDpdk().text } });
    t.throws(() => find(testpmd), { code: 'ERR_PRIMARY_ABSENT' });
    t.match(execFileSync('node', [DPCAP, 'list', '--all'], { encoding: 'utf8' }), `no (dead)`);
    const doctor = spawnSync('node', [DPCAP, 'doctor', '--file-prefix', testpmd.filePrefix], { encoding: 'utf8' });
    t.equal(doctor.status, 1);
  });
});

t.test('an executable that was deleted under its process', { skip }, async (t) => {
  const program = join(t.testdir(), 'my-router');
  copyFileSync('/usr/bin/dpdk-testpmd', program);
  const primary = await startHostPrimary({ program });
  t.teardown(() => primary.clean());
  rmSync(program);
  t.equal(find(primary).process?.program, 'my-router');
  const reading = readOpsTable(primary.pid, systemHost().addon.opsLayout);
  t.match(reading, { names: ['dpaa'], source: tableIn(program) });
});

const SECLUDED: [string, RegExp][] = [
  ['--in-memory', /--in-memory/],
  ['--no-huge', /--no-huge/],
  ['--huge-unlink=always', /--huge-unlink/],
];
for (const [option, message] of SECLUDED) {
  t.test(`a primary started with ${option} is found, and named as what it is`, { skip }, async (t) => {
    const host = systemHost();
    const secluded = await startHostPrimary({ eal: [option] });
    t.teardown(() => secluded.clean());
    const primary = find(secluded);
    t.match(primary, { state: 'running', pid: secluded.pid });
    t.match(inspect(primary, host).capturability, {
      verdict: 'no',
      reasons: [{ code: 'ERR_PRIMARY_NOT_CAPTURABLE', message, hint: /restart/ }],
    });
  });
}

t.test('without telemetry the ports are not told, the rest is', { skip }, async (t) => {
  const host = systemHost();
  const quiet = await startHostPrimary({ eal: ['--no-telemetry'] });
  t.teardown(() => quiet.clean());
  const { facts, capturability } = inspect(find(quiet), host);
  t.equal(facts.telemetrySocket, undefined);
  t.equal(capturability.verdict, 'yes', 'pdump shows in a file');
});

t.test('an application that never called rte_pdump_init() is named as such', { skip }, async (t) => {
  const host = systemHost();
  const plain = await startHostPrimary({ program: '/usr/bin/dpdk-test', application: [], prompt: 'RTE>>' });
  t.teardown(() => plain.clean());
  t.match(inspect(find(plain), host).capturability, {
    verdict: 'no',
    reasons: [{ code: 'ERR_PRIMARY_NOT_CAPTURABLE', message: /rte_pdump_init/, hint: /after rte_eal_init/ }],
  });
});

t.test('another capture tool shows while it lives, and what it leaves when killed', { skip }, async (t) => {
  const host = systemHost();
  const testpmd = await startHostPrimary();
  t.teardown(() => testpmd.clean());
  const file = join(t.testdir(), 'x.pcapng');
  const tool = spawn('dpdk-dumpcap', ['--file-prefix', testpmd.filePrefix, '-i', '0', '-w', file], { stdio: 'ignore' });
  t.teardown(() => tool.kill('SIGKILL'));
  const zones = (): string[] => captureToolZones(inspect(find(testpmd), host).facts.memzones ?? []);
  for (let waited = 0; zones().length < 4 && waited < 10_000; waited += 100) await setTimeout(100);
  const { warnings } = inspect(find(testpmd), host).capturability;
  t.match(warnings, [{ code: 'ERR_CAPTURE_BUSY', message: `dpdk-dumpcap (pid ${tool.pid}) is attached` }]);
  tool.kill('SIGKILL');
  await once(tool, 'close');
  t.same(inspect(find(testpmd), host).capturability.warnings, []);
  t.ok(zones().includes(`RG_dumpcap-${tool.pid}`));
});
