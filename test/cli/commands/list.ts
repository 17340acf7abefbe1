import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import t from 'tap';
import { formatListings, formatSpeed, listingJson } from '../../../src/cli/commands/list.js';
import { createProgram, expandAliases } from '../../../src/cli/program.js';
import { collectListings, withoutEnded } from '../../../src/primary/listing.js';
import { configBytes, fakeHost, makeProcess, makeRuntimeDir, memzoneBytes } from '../../primary/helpers/fake-host.js';

t.test('primaries with their ports', async (t) => {
  const top = t.testdir({ run: {}, proc: {} });
  const [root, procDir] = [join(top, 'run'), join(top, 'proc')];
  makeProcess(procDir, 7, ['router']);
  makeProcess(procDir, 8, ['firewall']);
  const dir = makeRuntimeDir(root, 'rte', { 'dpdk_telemetry.v2': '' });
  makeRuntimeDir(root, 'fw', { fbarray_memzone: memzoneBytes(['x']) });
  makeRuntimeDir(root, 'old');
  const answers = {
    '/info': { version: 'DPDK 22.11.11', pid: 7 },
    '/ethdev/list': [0],
    '/ethdev/info,0': {
      name: '0000:06:00.0',
      nb_rx_queues: 4,
      nb_tx_queues: 4,
      mac_addr: 'AA:BB:CC:00:00:01',
      mtu: 1500,
    },
    '/ethdev/link_status,0': { status: 'UP', speed: 25000 },
  };
  const locks = {
    [join(root, 'rte/config')]: { locked: true, pid: 7 },
    [join(root, 'fw/config')]: { locked: true, pid: 8 },
  };
  const host = fakeHost({ procDir, locks, answers: { [join(dir, 'dpdk_telemetry.v2')]: answers } });
  const listings = collectListings(root, host);
  const lines = formatListings(root, listings).split('\n');
  t.match(lines[0], /^FILE PREFIX +PID +PROGRAM +USER +DPDK +CAPTURABLE$/);
  t.match(lines[1], /^fw +8 +firewall +\S+ +22\.11\.11 +no$/);
  t.match(lines[2], /has not called rte_pdump_init/);
  t.match(lines[3], /^ {4}call rte_pdump_init/);
  t.match(lines[4], /ports: not told/);
  t.match(
    lines.find((line) => line.startsWith('rte')),
    /^rte +7 +router +\S+ +22\.11\.11 +yes$/,
  );
  const port = lines[6];
  t.match(port, /^ {2}port 0 +0000:06:00\.0 +aa:bb:cc:00:00:01 +up 25 Gbit\/s +4 rx \+ 4 tx queues +mtu 1500$/);
  t.match(JSON.parse(JSON.stringify(listingJson(root, listings))), {
    runtime_root: root,
    primaries: [
      { file_prefix: 'fw', capturable: 'no', reasons: [{ code: 'ERR_PRIMARY_NOT_CAPTURABLE' }], ports: null },
      { file_prefix: 'rte', capturable: 'yes', ports: [{ id: 0, rx_queues: 4, link: 'up', speed_mbps: 25000 }] },
      { file_prefix: 'old', state: 'dead', pid: null },
    ],
  });
});

t.test('of those that have ended nothing is read, and they are a count', async (t) => {
  const root = t.testdir();
  for (const prefix of ['a', 'b', 'c']) {
    const dir = makeRuntimeDir(root, prefix, { fbarray_memzone: null });
    execFileSync('mkfifo', [join(dir, 'fbarray_memzone')]); // reading it would never end
  }
  makeRuntimeDir(root, 'z', { config: configBytes() });
  const host = fakeHost({ locks: { [join(root, 'z/config')]: { locked: true, pid: 9 } } });
  const found = collectListings(root, host);
  t.same(
    found.map(({ primary }) => primary.filePrefix),
    ['z', 'a', 'b', 'c'],
    'the living first',
  );
  const shown = withoutEnded(found);
  const lines = formatListings(root, shown, found.length - shown.length).split('\n');
  t.match(lines[1], /^z /);
  t.match(lines.at(-1), /^the files of 3 that have ended are in .*--all shows them$/);
  t.match(listingJson(root, shown, 3), { ended_not_listed: 3, primaries: [{ file_prefix: 'z' }] });
});

t.test('files that are elsewhere, and what put them there', async (t) => {
  const elsewhere = { variable: 'RUNTIME_DIRECTORY=/run/app', isHidden: false };
  const place = { filePrefix: 'rte', runtimeDir: '/run/app/dpdk/rte', shared: true, reason: undefined, elsewhere };
  const primary = { ...place, state: 'running' as const, pid: 7, process: undefined, version: undefined };
  const capturability = { verdict: 'yes' as const, reasons: [], warnings: [] };
  const text = formatListings('/var/run/dpdk', [{ primary, capturability, ports: [] }]);
  t.match(text, /^ {2}files in \/run\/app\/dpdk\/rte \(its RUNTIME_DIRECTORY=\/run\/app\)$/m);
});

t.test("nobody's words speak to the terminal", async (t) => {
  const place = { filePrefix: 'a\x1b[2J', runtimeDir: '/r', shared: true, reason: undefined, process: undefined };
  const primary = { ...place, state: 'running' as const, pid: 7, version: undefined };
  const capturability = { verdict: 'yes' as const, reasons: [], warnings: [] };
  t.match(formatListings('/r', [{ primary, capturability, ports: [] }]), /^a\?\[2J /m);
});

t.test('one file prefix only', async (t) => {
  const root = t.testdir();
  for (const prefix of ['a', 'b']) makeRuntimeDir(root, prefix);
  const prefixes = (wanted?: string): string[] =>
    collectListings(root, fakeHost(), wanted).map(({ primary }) => primary.filePrefix);
  t.same(prefixes(), ['a', 'b']);
  t.same(prefixes('b'), ['b']);
  t.throws(() => prefixes('c'), { code: 'ERR_PRIMARY_ABSENT', message: /file prefix c/ });
  t.throws(() => prefixes('a/b'), { message: /a\/b/, exitCode: 2 });
});

t.test('nothing running', async (t) => {
  const root = t.testdir();
  t.match(formatListings(root, collectListings(root, fakeHost())), /no DPDK primary process is running .*\n +start/);
  makeRuntimeDir(root, 'old');
  t.match(formatListings(root, collectListings(root, fakeHost())), /no DPDK primary[\s\S]*old .*no \(dead\)/);
});

t.equal(formatSpeed(100), '100 Mbit/s');
t.equal(formatSpeed(2500), '2.5 Gbit/s');
t.same(expandAliases(['-D', '--json']), ['list', '--numbers', '--json']);
t.same(expandAliases(['list', '-D']), ['list', '-D']);

const commandsFor = async (...argv: string[]) =>
  (await createProgram(argv, { exitCode: 0, isJson: false })).commands.map((command) => command.name());

t.test('only what a command line needs is loaded', async (t) => {
  t.same(await commandsFor('list', '--json'), ['list']);
  for (const argv of [[], ['-i', '0', 'tcp'], ['tcp', 'port', '80'], ['toString']]) {
    t.same(await commandsFor(...argv), ['capture'], argv.join(' '));
  }
  for (const argv of [['--help'], ['help', 'list'], ['-w', 'x', '-h']]) {
    const names = await commandsFor(...argv);
    for (const name of ['capture', 'list', 'doctor', 'mirror'])
      t.ok(names.includes(name), `${name}: ${argv.join(' ')}`);
  }
});
