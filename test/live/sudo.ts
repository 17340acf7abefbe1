/** dpcap under sudo, called by a user who was made for the test: what he asked for is his. */
import { chmodSync, chownSync, mkdirSync, mkdtempSync, readdirSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { accountOf } from '../../src/system/users/accounts.js';
import { atExit } from '../harness/at-exit.js';
import { countPackets, DPCAP, requirements, run, start, underLoad } from '../harness/index.js';

const noRoot = process.geteuid?.() !== 0 && 'only root can make a user';
const skip = requirements({ hugepagesMb: 256, tools: ['sudo', 'useradd', 'setpriv'] }) || noRoot;
const PACKETS = 100;

interface Caller {
  name: string;
  uid: number;
  gid: number;
  /** A directory of his. */
  home: string;
}

/** A user who may do everything by sudo, without a password. He is gone when the test is. */
function makeCaller(t: Test): Caller {
  const name = `dpcap-test-${process.pid}`;
  const rule = `/etc/sudoers.d/dpcap-test-${process.pid}`;
  const home = mkdtempSync(join(tmpdir(), 'dpcap-test-'));
  const remove = (): void => {
    rmSync(rule, { force: true });
    rmSync(home, { recursive: true, force: true });
    if (accountOf(name)) run('userdel', [name]);
    forget();
  };
  const forget = atExit(remove);
  t.teardown(remove);
  run('useradd', ['--no-create-home', '--home-dir', home, '--user-group', name]);
  writeFileSync(rule, `${name} ALL=(ALL) NOPASSWD: ALL\n`, { mode: 0o440 });
  const { uid, gid } = accountOf(name) ?? { uid: 0, gid: 0 };
  chownSync(home, uid, gid);
  return { name, uid, gid, home };
}

t.test('a file that the caller of sudo could have made himself is his', { skip }, async (t) => {
  const testpmd = await underLoad(t);
  const { name, uid, gid, home } = makeCaller(t);
  const roots = join(home, 'roots');
  mkdirSync(roots);
  chmodSync(roots, 0o755);
  const capture = ['--file-prefix', testpmd.prefix, '-B', '16384', '-i', '0', '-c', String(PACKETS)];
  const bySudo = (...words: string[]): ReturnType<ReturnType<typeof start>['wait']> => {
    const him = ['setpriv', '--reuid', name, '--regid', name, '--clear-groups'];
    const sudo = ['sudo', '-n', 'env', `PATH=${process.env.PATH}`, DPCAP];
    return start(him[0] as string, [...him.slice(1), ...sudo, ...capture, ...words]).wait();
  };
  const single = join(home, 'x.pcap');
  const captured = await bySudo('-w', single);
  t.equal(captured.code, 0, captured.stderr);
  t.notMatch(captured.stderr, /is closed to/);
  t.match(statSync(single), { uid, gid });
  t.equal(countPackets(single), PACKETS);
  t.match(await bySudo('-w', join(home, 'ring.pcapng'), '-b', 'packets:50'), { code: 0 });
  const ring = readdirSync(home).filter((one) => one.startsWith('ring_'));
  t.equal(ring.length, 2);
  for (const one of ring) t.match(statSync(join(home, one)), { uid, gid }, one);

  const elsewhere = join(roots, 'x.pcap');
  t.match(await bySudo('-w', elsewhere), { code: 0, stderr: `note: ${elsewhere} is closed to ${name}` });
  t.match(statSync(elsewhere), { uid: 0 }, 'but not one in a directory where he could not have');
  const asRoot = join(home, 'root.pcap');
  t.match(await bySudo('-Z', 'root', '-w', asRoot), { code: 0 });
  t.match(statSync(asRoot), { uid: 0 }, 'nor one that is to stay with root');
});
