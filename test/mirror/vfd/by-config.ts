import { existsSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import type { DpcapError } from '../../../src/errors.js';
import { type ConfigJob, mirrorByConfig } from '../../../src/mirror/vfd/by-config.js';
import { ConfigFiles } from '../../../src/mirror/vfd/config/config-files.js';
import { type ConfigRecord, restoreConfig } from '../../../src/mirror/vfd/config/restore-config.js';
import { VfdClient } from '../../../src/mirror/vfd/protocol/client.js';
import { ownDir } from '../../helpers/own-dir.js';
import { FakeVfd } from '../helpers/fake-vfd.js';

const nothing = (): void => undefined;

interface Case {
  vfd: FakeVfd;
  client: VfdClient;
  job: ConfigJob;
  /** The live file before. */
  text: string;
  backups(): string[];
}

/** A test with VFs 1 and 3, and a job that mirrors 1 to 3. */
function test(name: string, body: (t: typeof import('tap').t, it: Case) => Promise<void>): void {
  t.test(name, async (t) => {
    const vfd = new FakeVfd(ownDir(t)).start();
    const text = vfd.manage(0, 1, 'guest_a', '\n  "comment": "keep // this",');
    vfd.manage(0, 3, 'debug');
    const client = new VfdClient(vfd.fifo, 200);
    const backupDir = join(vfd.dir, 'log', 'backup');
    const wanted = { pf: 0, vf: 1, direction: 'in' as const, target: 3 };
    const paths = { configDir: vfd.configDir, logDir: vfd.logDir, backupDir, logWaitMs: 50 };
    const job = { id: { pf: 0, vf: 1 }, pfPci: '0000:08:00.0', wanted, ...paths };
    const backups = (): string[] => (existsSync(backupDir) ? readdirSync(backupDir) : []);
    try {
      await body(t as unknown as typeof import('tap').t, { vfd, client, job, text, backups });
    } finally {
      client.close();
      await vfd.stop();
    }
    t.same(vfd.leftovers(), []);
    t.equal(vfd.crashes, 0);
  });
}

function live(vfd: FakeVfd): string {
  return readFileSync(join(vfd.liveDir, 'guest_a.json'), 'latin1');
}

/** All is as before: the VF managed, its file to the byte, nothing mirrored, nothing lying about. */
function checkRestored(t: typeof import('tap').t, { vfd, text }: Case, what: string): void {
  t.ok(vfd.vfs.has('0/1'), `${what}: the VF is managed`);
  t.equal(live(vfd), text, `${what}: its file is as it was`);
  t.same([vfd.mirrored(), readdirSync(vfd.configDir)], [[], []], `${what}: no mirror, nothing left`);
}

test('it works: one member more, the rest to the byte', async (t, { vfd, client, job, text, backups }) => {
  const path = join(vfd.liveDir, 'guest_a.json');
  const owner = statSync(path).mode;
  const result = await mirrorByConfig(client, job, nothing);
  t.same(vfd.mirrored(), ['0/1 in 3']);
  t.equal(
    live(vfd),
    text
      .replace('},\n  ],', '},\n  ],')
      .replace(/(\],)\n\}\n$/, '$1\n  "mirror": { "target": 3, "direction": "in" }\n}\n'),
  );
  t.equal(statSync(path).mode, owner);
  t.equal(readFileSync(result.backup, 'latin1'), text);
  t.same([result.warnings, readdirSync(vfd.configDir), backups().length], [[], [], 1]);
  const actions = vfd.requests.map(({ action }) => action).filter((action) => action !== 'show');
  t.same(actions, ['delete', 'add']);
  await mirrorByConfig(client, { ...job, wanted: undefined }, nothing);
  t.same(vfd.mirrored(), []);
  t.notMatch(live(vfd), /mirror/);
});

test('with delete_keep the old file stays beside, as VFd does it', async (t, { vfd, client, job }) => {
  vfd.deleteKeep = true;
  await mirrorByConfig(client, job, nothing);
  t.same([vfd.mirrored(), readdirSync(vfd.configDir)], [['0/1 in 3'], ['guest_a.json-']]);
});

test('a log that says nothing is said, a NIC that refuses is a failure', async (t, it) => {
  it.vfd.logLevel = 0;
  const { warnings } = await mirrorByConfig(it.client, it.job, nothing);
  t.match(warnings, [/log .* says nothing/]);
  await mirrorByConfig(it.client, { ...it.job, wanted: undefined }, nothing);
});

t.test('a NIC that refuses what VFd lists', async (t) => {
  const vfd = new FakeVfd(ownDir(t), [{ pci: '0000:08:00.0', loopback: true, nic: 'bnxt' }]).start();
  const text = vfd.manage(0, 1, 'guest_a');
  vfd.manage(0, 3, 'debug');
  const client = new VfdClient(vfd.fifo, 200);
  const wanted = { pf: 0, vf: 1, direction: 'in' as const, target: 3 };
  const paths = { configDir: vfd.configDir, logDir: vfd.logDir, backupDir: join(vfd.dir, 'log', 'b'), logWaitMs: 500 };
  const job = { id: { pf: 0, vf: 1 }, pfPci: '0000:08:00.0', wanted, ...paths };
  await t.rejects(mirrorByConfig(client, job, nothing), { message: /NIC refused/, hint: /state before is restored/ });
  t.same([live(vfd), vfd.listed()], [text, []]);
  client.close();
  await vfd.stop();
});

test('before anything is changed', async (t, it) => {
  const { vfd, client, job } = it;
  const no = async (change: Partial<ConfigJob>, why: RegExp, what: string): Promise<void> => {
    await t.rejects(mirrorByConfig(client, { ...job, ...change }, nothing), { message: why }, what);
    checkRestored(t, it, what);
  };
  await no({ pfPci: '0000:09:00.0' }, /no configuration of VF 1/, 'another PF');
  await no({ configDir: join(vfd.dir, 'nowhere') }, /no configuration/, 'not visible');
  await no({ backupDir: join(vfd.cfg, 'is-a-file') }, /cannot write a backup/, 'no room for a backup');
  await t.rejects(
    mirrorByConfig(client, job, () => Promise.reject(new Error('no'))),
    /^Error: no|no/,
  );
  checkRestored(t, it, 'not confirmed');
  t.same(it.backups(), []);
  writeFileSync(join(vfd.configDir, 'guest_a.json'), 'another');
  await t.rejects(mirrorByConfig(client, job, nothing), /is in the way/);
  t.equal(readFileSync(join(vfd.configDir, 'guest_a.json'), 'utf8'), 'another');
  t.same(vfd.requests, []);
});

/** Each step of the exchange fails in turn; the daemon is as before afterwards. */
const FAILURES: Record<string, (it: Case) => void> = {
  'staging the new file': (it) => {
    it.job.filesOf = (dir, file) => Object.assign(new ConfigFiles(dir, file), { stage: () => fail('disk full') });
  },
  'delete is refused': ({ vfd }) => {
    vfd.behave = once('delete', { error: 'unable to delete internal config for vf' });
  },
  'delete is never answered, and not done': ({ vfd }) => {
    vfd.behave = once('delete', 'none');
  },
  'putting the new file in place': (it) => {
    it.job.filesOf = (dir, file) => Object.assign(new ConfigFiles(dir, file), { place: () => fail('read-only') });
  },
  'add is refused': ({ vfd }) => {
    vfd.behave = once('add', { error: 'unable to add vf' });
  },
  'add is not done and never answered': ({ vfd }) => {
    vfd.behave = once('add', 'none');
  },
  'VFd rejects the new file and renames it': (it) => {
    it.job.wanted = { pf: 0, vf: 1, direction: 'in', target: 32 };
  },
  'the mirror is not listed afterwards': ({ vfd }) => {
    let seen = false;
    vfd.onRequest = ({ action }) => {
      if (action === 'add' && !seen) seen = true;
      else if (action === 'show' && seen) vfd.mirrors.delete('0/1');
    };
  },
};

for (const [step, arrange] of Object.entries(FAILURES)) {
  test(`rolled back: ${step}`, async (t, it) => {
    arrange(it);
    const error: DpcapError = await mirrorByConfig(it.client, it.job, nothing).then(
      () => t.fail('it did not fail') as never,
      (thrown) => thrown,
    );
    it.vfd.nic.delete('0/1'); // what the daemon forgot, the NIC would keep; not under test here
    checkRestored(t, it, step);
    const [backup] = it.backups();
    if (backup) t.match(error.hint, backup, 'it says where the backup is');
  });
}

test('answers to delete and add are lost: what was done counts', async (t, { vfd, client, job }) => {
  vfd.behave = ({ action }) => (action === 'show' ? 'answer' : 'lost');
  await mirrorByConfig(client, job, nothing);
  t.same(vfd.mirrored(), ['0/1 in 3']);
});

test('a delete that is done and never answered, as when the NIC update fails', async (t, { vfd, client, job }) => {
  vfd.stubborn.add('0/1');
  await mirrorByConfig(client, job, nothing);
  t.same(vfd.mirrored(), ['0/1 in 3']);
});

test('VFd dies in the middle: the error says how to go on, and the record brings it back', async (t, it) => {
  const { vfd, client, job } = it;
  let record: ConfigRecord | undefined;
  vfd.behave = ({ action }) => (action === 'add' ? 'none' : 'answer');
  const before = (one: ConfigRecord): void => {
    record = one;
  };
  await t.rejects(mirrorByConfig(client, job, before), {
    code: 'ERR_MIRROR_NO_ANSWER',
    hint: /its backup is .*iplex add guest_a/,
  });
  t.notOk(vfd.vfs.has('0/1'), 'the worst case: no configuration');
  vfd.behave = () => 'answer';
  t.equal(await restoreConfig(client, record as ConfigRecord), 'restored');
  checkRestored(t, it, 'recovered');
  t.equal(await restoreConfig(client, record as ConfigRecord), 'was so', 'again does nothing');
  writeFileSync(join(vfd.liveDir, 'guest_a.json'), live(vfd).replace('keep', 'changed'));
  t.equal(await restoreConfig(client, record as ConfigRecord), 'left', 'somebody else changed it');
});

function once(action: string, behaviour: ReturnType<FakeVfd['behave']>): FakeVfd['behave'] {
  let isFirst = true;
  return (request) => {
    if (request.action !== action || !isFirst) return 'answer';
    isFirst = false;
    return behaviour;
  };
}

function fail(why: string): never {
  throw new Error(why);
}
