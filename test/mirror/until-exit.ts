/** However `--until-exit` ends, the mirror does not outlive it: Ctrl-C, the watchdog, or `dpcap recover`. */
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { undoJournal } from '../../src/cli/commands/recover.js';
import { Journal } from '../../src/system/journal.js';
import { childrenOf } from '../harness/engine.js';
import { ownDir } from '../helpers/own-dir.js';
import { Dpcap, until } from './helpers/dpcap.js';
import { FakeVfd } from './helpers/fake-vfd.js';

const SET = ['mirror', 'set', '--pf', '0', '--vf', '1', '--direction', 'all', '--target', '3', '--until-exit'];

function setUp(dir: string): { vfd: FakeVfd; dpcap: Dpcap; args: string[] } {
  const vfd = new FakeVfd(dir).start();
  for (const vf of [1, 2, 3]) vfd.manage(0, vf, `guest_${vf}`);
  return { vfd, dpcap: new Dpcap(join(dir, 'log')), args: [...SET, '--config', vfd.cfg] };
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // it has ended by itself
  }
}

t.test('signals: cleared, journal empty, exit code 0', async (t) => {
  const { vfd, dpcap, args } = setUp(ownDir(t));
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    const child = dpcap.start(...args);
    await once(child.stdout as NodeJS.ReadableStream, 'data');
    t.same([vfd.mirrored(), dpcap.journal().length], [['0/1 all 3'], 1], 'on, and in the journal');
    child.kill(signal);
    const [code] = await once(child, 'exit');
    t.same([code, vfd.mirrored(), dpcap.journal()], [0, [], []], signal);
  }
  await vfd.stop();
});

t.test('what was on before is put back', async (t) => {
  const { vfd, dpcap, args } = setUp(ownDir(t));
  await dpcap.run('mirror', 'set', '--pf', '0', '--vf', '1', '--direction', 'in', '--target', '2', '--config', vfd.cfg);
  const { code, stdout } = await dpcap.run(...args.slice(0, -3), '--for', '0.05', '--config', vfd.cfg);
  t.match(stdout, /put back the mirror of VF 1 of PF 0 \(in\) to VF 2/);
  t.same([code, vfd.mirrored()], [0, ['0/1 in 2']]);
  await vfd.stop();
});

t.test('SIGKILL: the watchdog clears', async (t) => {
  const { vfd, dpcap, args } = setUp(ownDir(t));
  const child = dpcap.start(...args);
  await once(child.stdout as NodeJS.ReadableStream, 'data');
  kill(child.pid as number);
  await until(() => vfd.mirrored().length === 0 && dpcap.journal().length === 0, 'the watchdog clears');
  t.same(vfd.mirrored(), []);
  await vfd.stop();
});

/** Killed with its watchdog when the daemon receives request N, before or after it is carried out, and while it waits. */
t.test('SIGKILL of all of it at any moment: one entry at most, and recover clears', async (t) => {
  const { vfd, dpcap, args } = setUp(ownDir(t));
  const journal = new Journal(join(vfd.dir, 'log', 'state', 'dpcap'));
  const killAll = (pid: number): void => {
    for (const one of [pid, ...childrenOf(pid)]) kill(one);
  };
  for (const moment of [
    'request 1',
    'request 2',
    'request 3',
    'answer 3',
    'request 4',
    'waiting',
    'clearing 1',
    'clearing 2',
  ]) {
    const child = dpcap.start(...args);
    const pid = child.pid as number;
    const ended = once(child, 'exit');
    const [phase = '', number] = moment.split(' ');
    let seen = 0;
    vfd.onRequest = () => {
      if (phase === 'request' && ++seen === Number(number)) killAll(pid);
    };
    vfd.behave = () => {
      if (phase === 'answer' && ++seen === Number(number)) killAll(pid);
      return 'answer';
    };
    if (phase === 'waiting' || phase === 'clearing') {
      await once(child.stdout as NodeJS.ReadableStream, 'data');
      if (phase === 'waiting') killAll(pid);
      vfd.onRequest = () => {
        if (phase === 'clearing' && ++seen === Number(number)) killAll(pid);
      };
      child.kill('SIGINT');
    }
    await ended;
    vfd.onRequest = () => undefined;
    vfd.behave = () => 'answer';
    t.ok(dpcap.journal().length <= 1, `${moment}: ${dpcap.journal().length} entries`);
    const undone = await undoJournal(journal);
    t.ok(
      undone.every(({ isUndone }) => isUndone),
      `${moment}: ${undone.map(({ text }) => text).join('; ') || 'nothing owed'}`,
    );
    t.same([vfd.mirrored(), dpcap.journal()], [[], []], `${moment}: off, and nothing is owed`);
  }
  await vfd.stop();
});

t.test('a signal while VFd does not answer leaves nothing beside the FIFO', async (t) => {
  const { vfd, dpcap } = setUp(ownDir(t));
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    const child = dpcap.start('mirror', 'list', '--config', vfd.cfg);
    vfd.onRequest = () => child.kill(signal);
    vfd.behave = () => 'none';
    t.same([await once(child, 'exit'), vfd.leftovers()], [[null, signal], []], signal);
  }
  await vfd.stop();
});

t.test('a watchdog that was told all is done touches nothing of the same process', async (t) => {
  const { vfd, dpcap } = setUp(ownDir(t));
  for (const vf of [1, 2])
    await dpcap.run('mirror', 'set', '--vf', `guest_${vf}`, '--direction', 'in', '--target', '3', '--config', vfd.cfg);
  const { code } = await dpcap.run('mirror', 'clear', '--all', '--by-config', '--yes', '--config', vfd.cfg);
  t.same([code, vfd.mirrored(), dpcap.journal(), vfd.vfs.size], [0, [], [], 3]);
  await vfd.stop();
});

t.test('recover: somebody else changed it; the daemon is gone; the entry is damaged', async (t) => {
  const { vfd, dpcap, args } = setUp(ownDir(t));
  const journal = new Journal(join(vfd.dir, 'log', 'state', 'dpcap'));
  const leave = async (): Promise<void> => {
    const child = dpcap.start(...args);
    await once(child.stdout as NodeJS.ReadableStream, 'data');
    for (const pid of [child.pid as number, ...childrenOf(child.pid as number)]) kill(pid);
    await once(child, 'exit');
  };
  await leave();
  await vfd.stop();
  t.match(await undoJournal(journal), [{ isUndone: false, text: /could not undo .*VFd is not running/ }]);
  t.equal(dpcap.journal().length, 1, 'kept');
  vfd.start();
  vfd.mirrors.set('0/1', { id: 9, direction: 'in', target: 2 });
  vfd.nic.set('0/1', { direction: 'in', target: 2 });
  t.match(await undoJournal(journal), [{ isUndone: true, text: /left VF 1 of PF 0 alone/ }]);
  t.same(vfd.mirrored(), ['0/1 in 2']);
  await vfd.stop();
});

t.test('a NIC that refuses to end it: exit code 1, and it stays in the journal until it does', async (t) => {
  const { vfd, dpcap, args } = setUp(ownDir(t));
  vfd.nicKeepsMirrors = true;
  const held = await dpcap.run(...args.slice(0, -3), '--for', '0.05', '--config', vfd.cfg);
  t.match(held, { code: 1, stderr: /not cleared: .*VFd lists .* as off, but its NIC refused/ });
  t.same([vfd.listed(), vfd.mirrored(), dpcap.journal().length], [[], ['0/1 all 3'], 1], 'VFd lists nothing');
  const again = await dpcap.run('recover');
  t.match(again, { code: 1, stdout: /could not undo the mirror of VF 1 .* NIC refused/ });
  t.same([vfd.mirrored(), dpcap.journal().length], [['0/1 all 3'], 1]);
  vfd.nicKeepsMirrors = false;
  t.match(await dpcap.run('recover'), { code: 0, stdout: /cleared the mirror of VF 1/ });
  t.same([vfd.mirrored(), dpcap.journal()], [[], []]);
  await vfd.stop();
});

t.test('clear says the same', async (t) => {
  const { vfd, dpcap } = setUp(ownDir(t));
  const about = ['--pf', '0', '--vf', '1', '--config', vfd.cfg];
  await dpcap.run('mirror', 'set', ...about, '--direction', 'all', '--target', '3');
  vfd.nicKeepsMirrors = true;
  t.match(await dpcap.run('mirror', 'clear', ...about), { code: 1, stdout: '', stderr: /its NIC refused/ });
  await dpcap.run('mirror', 'set', ...about, '--direction', 'all', '--target', '3');
  const all = await dpcap.run('mirror', 'clear', '--all', '--config', vfd.cfg);
  t.match(all, { code: 1, stderr: /1 not cleared: .*its NIC refused/ });
  await vfd.stop();
});

t.test('clear by the configuration names the backup, and leaves the file as it was', async (t) => {
  const { vfd, dpcap } = setUp(ownDir(t));
  const file = join(vfd.liveDir, 'guest_1.json');
  const before = readFileSync(file, 'latin1');
  const about = ['--pf', '0', '--vf', '1', '--config', vfd.cfg, '--by-config', '--yes'];
  t.equal((await dpcap.run('mirror', 'set', ...about, '--direction', 'in', '--target', '3')).code, 0);
  t.not(readFileSync(file, 'latin1'), before);
  const { code, stdout } = await dpcap.run('mirror', 'clear', ...about);
  const [, backup = ''] = /^ {2}the configuration as it was: (.*)$/m.exec(stdout) ?? [];
  t.equal(code, 0);
  t.match(readFileSync(backup, 'latin1'), '"mirror"');
  // A comma behind the last member, which VFd allows, separated the mirror from it.
  t.equal(readFileSync(file, 'latin1'), before.replace(/,(\s*\}\s*)$/, '$1'));
  t.same(vfd.mirrored(), []);
  await vfd.stop();
});
