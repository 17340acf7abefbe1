/** Primaries that dpcap cannot join with what this system has: each message names both sides and the way out. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import {
  capinfos,
  type Finished,
  requirements,
  runDpcap,
  runDpcapLacking,
  runDpcapWithoutDpdk,
  startTestpmd,
  type Testpmd,
  type TestpmdOptions,
} from '../harness/index.js';
import { startMallocPrimary } from '../harness/malloc-primary.js';
import {
  cannotCopyDpdk,
  copyLibraries,
  copyStaticPrimary,
  installedRelease,
  previousMinor,
  release,
} from '../harness/other-dpdk.js';

const skip = requirements({ hugepagesMb: 256, tools: ['unshare', 'setpriv'] }) || cannotCopyDpdk();
const NULL = { vdevs: ['net_null0'], mbufs: 4096, memoryMb: 32 };

interface Words {
  message: string | RegExp;
  hint: string | RegExp;
}
type Run = (args: string[]) => Promise<Finished>;

function folder(t: Test): string {
  const dir = mkdtempSync(join(tmpdir(), 'dpcap-mismatch-'));
  t.teardown(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}

/** A primary that is linked statically and says that it is of this release. */
async function staticPrimary(t: Test, as = installedRelease()) {
  const primary = await startMallocPrimary(['net_null0'], [], copyStaticPrimary(folder(t), as));
  t.teardown(() => primary.stop());
  await primary.forward('on');
  return primary;
}

/** A testpmd at full load with libraries of its own in this folder, of the minor release before. */
async function withLibraries(t: Test, libraries: string, options: Partial<TestpmdOptions> = {}): Promise<Testpmd> {
  copyLibraries(libraries, previousMinor());
  const testpmd = await startTestpmd({ ...NULL, env: { LD_LIBRARY_PATH: libraries }, ...options });
  t.teardown(() => testpmd.stop());
  await testpmd.command('start');
  return testpmd;
}

/** Captures 1000 packets, and checks that they are in the file. */
async function captures(t: Test, prefix: string, run: Run, more: string[] = []): Promise<Finished> {
  const file = join(folder(t), 'x.pcap');
  const words = ['--file-prefix', prefix, '-i', '0', '-c', '1000', '-B', '4096', '-w', file, ...more];
  const captured = await run(words);
  t.equal(captured.code, 0, captured.stderr);
  t.equal(Number(capinfos(file)['Number of packets']), 1000);
  return captured;
}

/** All that judge a primary say the same of it, and nothing is asked of it. */
async function isRefused(t: Test, prefix: string, { message, hint }: Words, run: Run = runDpcap): Promise<void> {
  const captured = await run(['--file-prefix', prefix, '-i', '0', '-w', '/dev/null']);
  t.equal(captured.code, 1);
  const [first = '', ...rest] = captured.stderr.trimEnd().split('\n');
  t.match(first, `dpcap: cannot capture from the primary ${prefix}: `);
  t.match(first, message);
  t.match(rest.join('\n'), hint);
  t.notMatch(captured.stderr, /EAL/, 'it was not tried');
  const listed = await run(['list', '--file-prefix', prefix]);
  t.match(listed.stdout, message, 'list says it, too');
  const doctor = await run(['doctor', '--file-prefix', prefix]);
  t.match(doctor.stdout, message, 'and doctor');
  t.match(doctor.stdout, hint, 'with the way out');
}

t.test('another major release', { skip }, async (t) => {
  const known = '22.11 to 23.07, 23.11 to 24.07, 24.11 to 25.07, 25.11 to 26.07';
  t.test('that is too old for dpcap', async (t) => {
    const { prefix } = await staticPrimary(t, release(20, 11, 10));
    await isRefused(t, prefix, {
      message: `DPDK 20.11.10, which it runs, is not known to this dpcap, which knows ${known}`,
      hint: /^ +restart the application with one of those releases$/m,
    });
  });
  t.test('that is too new for it', async (t) => {
    const { prefix } = await staticPrimary(t, release(26, 11, 0));
    await isRefused(t, prefix, {
      message: `DPDK 26.11.0, which it runs, is not known to this dpcap, which knows ${known}`,
      hint: /^ +install a later dpcap, or restart the application with one of those releases$/m,
    });
  });
  t.test('that it has no addon for', async (t) => {
    const { prefix } = await staticPrimary(t, release(23, 11, 2));
    await isRefused(t, prefix, {
      message: /DPDK 23\.11\.2 needs the addon for 23\.11 to 24\.07, and this dpcap has those for 22\.11 to 23\.07/,
      hint: /install a package of dpcap that has dpcap_pdump\.dpdk24\.node, or build it .*npm run build:native/,
    });
  });
});

t.test('another minor release', { skip }, async (t) => {
  const [theirs, ours] = [previousMinor().text, installedRelease().text];
  const both = `it runs DPDK ${theirs}, the libraries of this system are ${ours}, and`;
  t.test('in libraries of its own: it is joined with those', async (t) => {
    const { prefix } = await withLibraries(t, folder(t));
    const { stderr } = await captures(t, prefix, runDpcap);
    t.match(stderr, `DPDK ${theirs}, with its own libraries;`);
    const doctor = await runDpcap(['doctor', '--file-prefix', prefix]);
    t.match(doctor, {
      code: 0,
      stdout: `DPDK ${theirs}, with its own libraries (the libraries of this system are ${ours})\n`,
    });
  });

  t.test('linked statically', async (t) => {
    const { prefix } = await staticPrimary(t, previousMinor());
    const install = `install the libraries of DPDK ${theirs} (librte-*), or give their folder with --dpdk-libs`;
    await isRefused(t, prefix, { message: `${both} it is linked statically`, hint: install });
    const libraries = copyLibraries(folder(t), previousMinor());
    const { stderr } = await captures(t, prefix, runDpcap, ['--dpdk-libs', libraries]);
    t.match(stderr, `DPDK ${theirs}, with the libraries of --dpdk-libs;`, 'the way out is one');
  });

  t.test('in libraries of a process with fewer rights', async (t) => {
    const libraries = folder(t);
    const { prefix, pid } = await withLibraries(t, libraries, { within: ['setpriv', '--bounding-set=-mac_admin'] });
    await isRefused(t, prefix, {
      message: `${both} its own are not loaded by themselves, because process ${pid} has fewer rights than dpcap`,
      hint: `if you trust what is in that container, give --dpdk-libs /proc/${pid}/root${libraries}; or install`,
    });
    await captures(t, prefix, runDpcap, ['--dpdk-libs', `/proc/${pid}/root${libraries}`]);
  });
});

t.test('libraries that were deleted under it, as by an upgrade', { skip }, async (t) => {
  const [theirs, ours] = [previousMinor().text, installedRelease().text];
  const libraries = join(folder(t), 'lib');
  const { prefix } = await withLibraries(t, libraries);
  rmSync(libraries, { recursive: true });
  const { stderr } = await captures(t, prefix, runDpcap);
  const words = `DPDK ${theirs}, with its own libraries, deleted or replaced since it started`;
  t.match(stderr, `${words};`);
  t.match(await runDpcap(['doctor', '--file-prefix', prefix]), {
    code: 0,
    stdout: `${words} (the libraries of this system are ${ours})\n`,
  });
  // The kernel gives mappings as files to nobody but these.
  const run: Run = (args) => runDpcapLacking(['sys_admin', 'checkpoint_restore'], args);
  await isRefused(
    t,
    prefix,
    {
      message:
        `it runs DPDK ${theirs}, the libraries of this system are ${ours}, and its own, which were deleted or replaced ` +
        'since it started, cannot be opened by this process',
      hint: /run dpcap with CAP_SYS_ADMIN or CAP_CHECKPOINT_RESTORE, restart the application; or install the libraries/,
    },
    run,
  );
});

t.test('a system without libraries of DPDK', { skip }, async (t) => {
  const { text } = installedRelease();
  t.test('and a primary that has some', async (t) => {
    const testpmd = await startTestpmd(NULL);
    t.teardown(() => testpmd.stop());
    await testpmd.command('start');
    const { stderr } = await captures(t, testpmd.prefix, runDpcapWithoutDpdk);
    t.match(stderr, `DPDK ${text}, with its own libraries;`);
  });
  t.test('and one that is linked statically', async (t) => {
    const { prefix } = await staticPrimary(t);
    const none = /it runs DPDK \S+, this system has no libraries of that release \(librte_\*\.so\.23\)/;
    const message = new RegExp(`${none.source}, and it is linked statically`);
    const hint = `install the libraries of DPDK ${text} (librte-*), or give their folder with --dpdk-libs`;
    await isRefused(t, prefix, { message, hint }, runDpcapWithoutDpdk);
    await captures(t, prefix, runDpcapWithoutDpdk, ['--dpdk-libs', copyLibraries(folder(t), installedRelease())]);
  });
});
