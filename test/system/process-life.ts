import { linkSync, mkdirSync, statSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { staleCaptures } from '../../src/primary/stale-captures.js';
import { lifeOf, ownIdentity, runsAnywhere } from '../../src/system/process-life.js';
import { makeProcess } from '../primary/helpers/fake-host.js';

/** What makeProcess() says of its processes. */
const START = 4200;

/** A /proc in which namespaces are files, and being in one is a hard link to it. */
class FakeProc {
  readonly dir: string;

  constructor(t: Test) {
    this.dir = t.testdir({ spaces: { ours: '', theirs: '', time: '', 'other-time': '' } });
    symlinkSync(String(process.pid), join(this.dir, 'self'));
    this.add([process.pid], 'ours');
  }

  /** @param pids its pids, ours first */
  add([pid = 0, ...inner]: number[], space: string, time = 'time'): void {
    makeProcess(this.dir, pid, ['app'], ...inner);
    mkdirSync(join(this.dir, String(pid), 'ns'));
    linkSync(join(this.dir, 'spaces', space), join(this.dir, String(pid), 'ns', 'pid'));
    linkSync(join(this.dir, 'spaces', time), join(this.dir, String(pid), 'ns', 'time'));
  }

  life(pid: number, space: string, startTicks = START): string {
    const pidNamespace = statSync(join(this.dir, 'spaces', space)).ino;
    return lifeOf({ pid, startTicks, pidNamespace }, this.dir);
  }
}

t.test('this process', async (t) => {
  t.equal(lifeOf(ownIdentity()), 'running');
  t.equal(lifeOf({ ...ownIdentity(), startTicks: 1 }), 'gone');
});

t.test('in our own namespace', async (t) => {
  const proc = new FakeProc(t);
  proc.add([500], 'ours');
  proc.add([600], 'ours', 'other-time');
  t.equal(proc.life(500, 'ours'), 'running');
  t.equal(proc.life(501, 'ours'), 'gone');
  t.equal(proc.life(500, 'ours', 77), 'gone', 'another one with its pid');
  t.equal(proc.life(600, 'ours', 77), 'unknown', 'whose clock is another');
});

t.test('in a namespace below ours', async (t) => {
  const proc = new FakeProc(t);
  proc.add([500, 8], 'theirs');
  t.equal(proc.life(8, 'theirs'), 'running');
  t.equal(proc.life(500, 'theirs'), 'gone', 'that is its pid here, not there');
  t.equal(proc.life(8, 'theirs', 77), 'gone');
});

/** The inode of the first PID namespace: a test may run in a container. */
const seenFromHere = statSync('/proc/self/ns/pid').ino === 0xeffffffc ? 'gone' : 'unknown';

t.test('in a namespace of which nothing is seen', async (t) => {
  const proc = new FakeProc(t);
  t.equal(proc.life(8, 'theirs'), 'unknown', 'ours is not the first one');
  t.equal(lifeOf({ pid: 8, startTicks: START, pidNamespace: 1 }), seenFromHere, 'seen from here');
});

t.test("another namespace's /proc says nothing", async (t) => {
  const proc = t.testdir({ self: t.fixture('symlink', '1') });
  t.equal(lifeOf({ pid: 8, startTicks: START, pidNamespace: 1 }, proc), 'unknown');
});

t.test('captures known by their names', async (t) => {
  const proc = new FakeProc(t);
  proc.add([500, 8], 'theirs');
  t.ok(runsAnywhere(500, START, proc.dir));
  t.ok(runsAnywhere(8, START, proc.dir));
  t.notOk(runsAnywhere(9, START, proc.dir));
  const names = ['dpcap_8_1068', 'dpcap_9_1068', 'RG_dpcap_9_1068_0', 'mb_pool_0'];
  t.same(staleCaptures(names, proc.dir), [{ pid: 9, description: '2 objects in shared memory' }]);
  t.match(staleCaptures(['dpcap_9_1068.2', 'dpcap_9_1068.2_0', 'dpcap_8_1068.2'], proc.dir), [{ pid: 9 }]);
});
