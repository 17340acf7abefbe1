/** Primaries in mount and PID namespaces of their own, as containers are: seen, captured from and cleared from the host. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { projectFile } from '../../src/system/location.js';
import { killBoth } from '../harness/engine.js';
import {
  balances,
  childrenOf,
  countPackets,
  DPCAP,
  enginePid,
  gone,
  isForwarding,
  isUnharmed,
  LiveCapture,
  remember,
  requirements,
  runDpcap,
  start,
  startCapture,
  startTestpmd,
  type Testpmd,
} from '../harness/index.js';
import { cannotCopyDpdk, copyLibraries, previousMinor } from '../harness/other-dpdk.js';
import { isInChroot } from '../harness/release.js';

const skip = requirements({ tools: ['unshare', 'nsenter'] }) || (isInChroot && 'in a chroot mounts are not told apart');
const noCopies = skip || cannotCopyDpdk();
const NULL = { vdevs: ['net_null0', 'net_null1'], mbufs: 4096 };
const CONTAINER = ['unshare', '--mount', '--pid', '--fork', '--kill-child', '--mount-proc', 'sh', '-ec'];

/** A container: its mounts are made by `script`, and gone with it. */
async function inContainer(t: Test, script: string, env: NodeJS.ProcessEnv = {}): Promise<Testpmd> {
  const testpmd = await startTestpmd({ ...NULL, within: [...CONTAINER, `${script}\nexec "$@"`, 'sh'], env });
  t.teardown(() => testpmd.stop());
  await testpmd.command('start');
  return testpmd;
}

/** The pid on the host of what runs in it. */
function pidOf(testpmd: Testpmd): number {
  return childrenOf(testpmd.pid)[0] as number;
}

function folder(t: Test): string {
  const dir = mkdtempSync(join(tmpdir(), 'dpcap-container-'));
  t.teardown(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}

/** Kills a capture so that all that it has in the primary stays there. */
async function kill(supervisor: number): Promise<void> {
  const engine = enginePid(supervisor);
  killBoth(supervisor);
  await gone(engine);
}

t.test(
  'with the runtime directory of the host, and another DPDK, which is nowhere else',
  { skip: noCopies },
  async (t) => {
    const [image, libraries] = [folder(t), folder(t)];
    copyLibraries(image, previousMinor());
    const mounts = `mount -t tmpfs none ${libraries}\ncp ${image}/* ${libraries}`;
    const testpmd = await inContainer(t, mounts, { LD_LIBRARY_PATH: libraries });
    rmSync(image, { recursive: true });
    const { prefix } = testpmd;
    const { text } = previousMinor();
    const before = await remember(testpmd);
    const listed = await runDpcap(['list', '--file-prefix', prefix]);
    t.match(listed.stdout, new RegExp(`^${prefix} +${pidOf(testpmd)} +dpdk-testpmd +root +${text} +yes$`, 'm'));

    const file = join(folder(t), 'x.pcap');
    const captured = await runDpcap(['--file-prefix', prefix, '-i', '0', '-c', '1000', '-w', file]);
    t.match(captured, { code: 0, stderr: `DPDK ${text}, with its own libraries;` });
    t.equal(countPackets(file), 1000);
    await isUnharmed(t, testpmd, before, 'captured from');

    const running = startCapture(testpmd, ['-i', '0', '-w', '/dev/null']);
    await running.written(1);
    await kill(running.pid);
    const recovered = await runDpcap(['recover', '--file-prefix', prefix]);
    t.match(recovered, { code: 0, stdout: /cleared a capture of pid \d+, 2 queues/ }, recovered.stderr);
    await isUnharmed(t, testpmd, before, 'recovered');
    await isForwarding(t, testpmd, 'recovered');
  },
);

t.test('with a runtime directory of its own: dpcap is led into it', { skip }, async (t) => {
  mkdirSync('/var/run/dpdk', { recursive: true });
  const testpmd = await inContainer(t, 'mount -t tmpfs none /var/run/dpdk');
  const { prefix } = testpmd;
  const before = await remember(testpmd);
  const refused = await runDpcap(['--file-prefix', prefix, '-i', '0', '-w', '/dev/null']);
  t.match(refused, { code: 1, stderr: `its files are in another mount namespace (/run/dpdk/${prefix} there)` });
  const wayOut = /run dpcap there \((nsenter --target (\d+) .*) dpcap \.\.\.\)/.exec(refused.stderr);
  t.equal(Number(wayOut?.[2]), pidOf(testpmd));
  // What the message says is done, word by word.
  const [program = '', ...words] = wayOut?.[1]?.split(' ') ?? [];
  const startThere = (args: string[]): LiveCapture => {
    const there = start(program, [...words, DPCAP, ...args]);
    there.closeStdin();
    return new LiveCapture(there);
  };
  const listed = await startThere(['list', '--file-prefix', prefix]).ended();
  t.match(listed.stdout, new RegExp(`^${prefix} +1 +dpdk-testpmd .* yes$`, 'm'), 'there it is the first process');

  const file = join(folder(t), 'x.pcap');
  const common = ['--file-prefix', prefix, '-i', '0', '-B', '4096', '--stats', 'ndjson', '--stats-interval', '0.1'];
  balances(t, await startThere([...common, '-c', '1000', '-w', file]).ended());
  t.equal(countPackets(file), 1000);
  await isUnharmed(t, testpmd, before, 'captured from');

  const cleared = await startThere(['recover', '--file-prefix', prefix]).ended();
  t.match(cleared, { code: 0, stdout: /nothing to clear/ }, cleared.stderr);
  await isForwarding(t, testpmd, 'recover');
});

/** What a container has unless it is told otherwise (Docker, containerd, CRI-O). */
const USUAL =
  'chown,dac_override,fowner,fsetid,kill,setgid,setuid,setpcap,net_bind_service,net_raw,sys_chroot,mknod,audit_write,setfcap';
const withOnly = (capabilities: string): string[] => [
  'setpriv',
  `--bounding-set=-all,+${capabilities.replaceAll(',', ',+')}`,
];

t.test(
  'a sidecar, with the capabilities that its manifest gives it',
  { skip: requirements({ tools: ['setpriv'] }) },
  async (t) => {
    const manifest = readFileSync(projectFile('deploy/sidecar.yaml'), 'utf8');
    const added = [...manifest.matchAll(/^ +- ([A-Z_]+) #/gm)].map(([, name]) => name?.toLowerCase());
    t.ok(added.includes('sys_ptrace'));
    const testpmd = await startTestpmd({ ...NULL, within: withOnly(USUAL) });
    t.teardown(() => testpmd.stop());
    await testpmd.command('start');
    const before = await remember(testpmd);
    const [program = '', ...words] = withOnly(added.join(','));
    const running = start(program, [
      ...words,
      DPCAP,
      '--file-prefix',
      testpmd.prefix,
      '-i',
      '0',
      '-c',
      '1000',
      '-w',
      '/dev/null',
    ]);
    running.closeStdin();
    t.match(await running.wait(), { code: 0, stderr: /1000 packets captured/ });
    await isUnharmed(t, testpmd, before, 'captured from');
  },
);
