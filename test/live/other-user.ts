/** -Z: what handles packets is the user's, as far as the way to them allows; so are the files, and what is done with them. */
import { chmodSync, chownSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { accountOf } from '../../src/system/users/accounts.js';
import { startWithAgent } from '../harness/agent.js';
import {
  countPackets,
  enginePid,
  type LiveCapture,
  requirements,
  runDpcap,
  startCapture,
  type Testpmd,
} from '../harness/index.js';

const noRoot = process.geteuid?.() !== 0 && 'only root can become another user';
const skip = requirements({ hugepagesMb: 0 }) || noRoot;
const skipJoined = requirements({ hugepagesMb: 256 }) || noRoot;
const NOBODY = accountOf('nobody') ?? { uid: 65534, gid: 65534 };

/** A folder of the user's, below ones that he may walk through. */
function folderOf(t: Test): string {
  const folder = join(t.testdir(), 'his');
  mkdirSync(folder);
  chownSync(folder, NOBODY.uid, NOBODY.gid);
  return folder;
}

/** The user ids (real, effective, saved, of files) of each of a process's threads. */
function usersOf(pid: number): string[] {
  const texts = readdirSync(`/proc/${pid}/task`).map((id) => readFileSync(`/proc/${pid}/task/${id}/status`, 'latin1'));
  return [...new Set(texts.map((text) => /^Uid:\s+(.*)$/m.exec(text)?.[1]?.replaceAll('\t', ' ') ?? ''))];
}

function all(uid: number): string {
  return [uid, uid, uid, uid].join(' ');
}

async function forwarding(t: Test, eal: string[]): Promise<Testpmd> {
  const testpmd = await startWithAgent('LD_PRELOAD', { vdevs: ['net_null0', 'net_null1'], eal });
  t.teardown(() => testpmd.stop());
  await testpmd.command('start');
  return testpmd;
}

function finishedIn(folder: string): string[] {
  return readdirSync(folder).filter((name) => /_\d{5}_\d+\.pcapng$/.test(name));
}

/** Waits until the ring is full: all further files were opened by the user. */
async function untilFull(running: LiveCapture, folder: string): Promise<void> {
  while (finishedIn(folder).length < 3) await running.next();
}

t.test('through the agent the engine gives up root, and goes on from file to file', { skip }, async (t) => {
  const testpmd = await forwarding(t, ['--no-huge']);
  const folder = folderOf(t);
  const command = join(t.testdirName, 'done');
  writeFileSync(command, `#!/bin/sh\nid -u >> ${folder}/users\n`);
  chmodSync(command, 0o755);
  const files = ['-b', 'packets:20000', '-b', 'files:3', '-z', command, '--min-free', '1K'];
  const words = ['--via', 'agent', '-Z', 'nobody', '-i', '0', '-s', '64', '-w', join(folder, 'x.pcapng'), ...files];
  const running = startCapture(testpmd, [...words, '--stats-interval', '100ms']);
  await untilFull(running, folder);
  const engine = enginePid(running.pid);
  t.same(usersOf(engine), [all(NOBODY.uid)], 'each thread');
  t.match(readFileSync(`/proc/${engine}/status`, 'latin1'), /^CapEff:\t0+$/m);
  t.same(usersOf(running.pid), [all(0)], 'the supervisor, which sees no packet, stays root');
  const { code, messages } = await running.stop();
  t.equal(code, 0, messages);
  t.equal(new Set(readFileSync(join(folder, 'users'), 'latin1').trim().split('\n')).size, 1);
  t.match(readFileSync(join(folder, 'users'), 'latin1'), new RegExp(`^${NOBODY.uid}$`, 'm'));
  t.equal(finishedIn(folder).length, 3);
  for (const name of finishedIn(folder)) t.match(statSync(join(folder, name)), NOBODY);
  t.same(
    readdirSync(folder).filter((name) => name.includes('.partial')),
    [],
    'nothing is left',
  );
});

t.test(
  'whoever joined the primary needs root to the end; a reader of files does not',
  { skip: skipJoined },
  async (t) => {
    const testpmd = await forwarding(t, []);
    const file = join(folderOf(t), 'x.pcap');
    const running = startCapture(testpmd, ['--via', 'pdump', '-Z', 'nobody', '-i', '0', '-s', '64', '-w', file]);
    await running.written(1);
    t.same(usersOf(enginePid(running.pid)), [all(0)]);
    await running.stop();
    t.match(statSync(file), NOBODY);
    const dry = await runDpcap(['-r', file, '-Z', 'nobody', '-w', `${file}.2`, '--dry-run']);
    t.match(JSON.parse(dry.stdout), { becomes: { user: 'nobody', ...NOBODY } });
    t.match(await runDpcap(['-r', file, '-Z', 'nobody', '-c', '100', '-w', `${file}.2`]), { code: 0 });
    t.equal(countPackets(`${file}.2`), 100);
  },
);
