import {
  closeSync,
  constants,
  existsSync,
  mkdirSync,
  openSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { VfdClient } from '../../../../src/mirror/vfd/protocol/client.js';
import { readAnswer } from '../../../../src/mirror/vfd/protocol/fifo.js';
import { FakeVfd } from '../../helpers/fake-vfd.js';

/** Short, so that tests of silence do not take 5 s each. */
const LIMIT_MS = 150;

type Body = (t: Tap, vfd: FakeVfd, client: VfdClient) => Promise<void>;
type Tap = typeof t;

/** A test with a running daemon that has VFs 1, 2 and 3, and a client; nothing of ours may be left beside the FIFO. */
function test(name: string, body: Body, limitMs = LIMIT_MS): void {
  t.test(name, async (t) => {
    const vfd = new FakeVfd(t.testdir()).start();
    for (const vf of [1, 2, 3]) vfd.manage(0, vf, `guest_${vf}`);
    const client = new VfdClient(vfd.fifo, limitMs);
    try {
      await body(t as unknown as Tap, vfd, client);
    } finally {
      client.close();
      await vfd.stop();
    }
    t.same(vfd.leftovers(), []);
  });
}

test(
  'every request, with 50 ms of latency',
  async (t, vfd, client) => {
    vfd.latencyMs = 50;
    t.match(await client.ping(), /^v2\.0\.1/);
    t.equal((await client.showAll()).length, 4);
    t.equal((await client.showPfs()).length, 1);
    t.equal((await client.showPf(0)).length, 4);
    t.same(await client.showExtended(), [{ pf: 0, counters: { rx_size_64_packets: '0' } }]);
    await client.mirrorOn({ pf: 0, vf: 1, direction: 'in', target: 3 });
    t.same(vfd.mirrored(), ['0/1 in 3']);
    t.same((await client.showMirrors()).mirrors, [{ pf: 0, vf: 1, direction: 'in', target: 3 }]);
    await client.mirrorOff({ pf: 0, vf: 1 });
    t.same(vfd.mirrored(), []);
    await client.verbose(2);
    await client.dump();
    t.equal(vfd.requests.at(-1)?.action, 'dump', 'which is not taken for delete');
    t.equal(vfd.crashes, 0);
    t.same(client.warnings(), []);
  },
  5000,
);

test('ERROR is an error', async (t, vfd, client) => {
  await t.rejects(client.mirrorOff({ pf: 0, vf: 1 }), { code: 'ERR_MIRROR_REFUSED', message: /unable to update nic/ });
  await t.rejects(client.add('/nowhere/x.json'), { code: 'ERR_MIRROR_REFUSED' });
  vfd.noHarm = true;
  await t.rejects(client.showAll(), { code: 'ERR_MIRROR_REFUSED', message: /no harm/ });
});

test('answers that never come, are cut, are rubbish, belong to others: told apart', async (t, vfd, client) => {
  const cases = [
    ['none', 'ERR_MIRROR_NO_ANSWER', /did not answer within 0.15 s/],
    ['lost', 'ERR_MIRROR_NO_ANSWER', /did not answer/],
    ['cut', 'ERR_MIRROR_BAD_ANSWER', /is cut/],
    ['stall', 'ERR_MIRROR_BAD_ANSWER', /is cut/],
    ['rubbish', 'ERR_MIRROR_BAD_ANSWER', /makes no sense: Segmentation fault/],
    ['foreign', 'ERR_MIRROR_BAD_ANSWER', /belongs to another request/],
  ] as const;
  for (const [behaviour, code, message] of cases) {
    vfd.behave = () => behaviour;
    await t.rejects(client.ping(), { code, message }, behaviour);
  }
  vfd.behave = () => 'no id';
  t.match(await client.ping(), /^v2/, 'an answer on our own FIFO without an id is ours');
});

test('late: within the limit it is said, after it the answer finds no FIFO and disturbs nobody', async (t, vfd) => {
  const patient = new VfdClient(vfd.fifo);
  vfd.behave = () => ({ lateMs: 1100 });
  await patient.ping();
  patient.close();
  t.match(patient.warnings(), [/took 1\.\d s to answer/]);

  const hasty = new VfdClient(vfd.fifo, LIMIT_MS);
  let isFirst = true;
  vfd.behave = () => {
    const behaviour = isFirst ? { lateMs: 2 * LIMIT_MS } : 'answer';
    isFirst = false;
    return behaviour;
  };
  await t.rejects(hasty.mirrorOn({ pf: 0, vf: 1, direction: 'in', target: 3 }), { code: 'ERR_MIRROR_NO_ANSWER' });
  t.same(vfd.mirrored(), ['0/1 in 3'], 'carried out all the same');
  const next = new VfdClient(vfd.fifo);
  t.match(await next.ping(), /^v2/, 'the next request gets its own answer');
  hasty.close();
  next.close();
});

test('gone: no FIFO, or one that nobody reads', async (t, vfd, client) => {
  await vfd.stop();
  await t.rejects(client.ping(), { code: 'ERR_MIRROR_ABSENT', errno: 'ENXIO', message: /nobody reads/ });
  rmSync(vfd.fifo);
  await t.rejects(client.ping(), { code: 'ERR_MIRROR_ABSENT', errno: 'ENOENT', message: /there is no/ });
});

test('not a FIFO: a regular file or a link is left as it is', async (t, vfd) => {
  const file = join(vfd.dir, 'config', 'file');
  const link = join(vfd.dir, 'config', 'link');
  writeFileSync(file, 'precious');
  symlinkSync(vfd.fifo, link);
  for (const [path, why] of [
    [file, /it is no FIFO/],
    [link, /symbolic link/],
  ] as const) {
    const client = new VfdClient(path, LIMIT_MS);
    await t.rejects(client.ping(), { code: 'ERR_MIRROR_ABSENT', message: why });
    client.close();
  }
  t.equal(readFileSync(file, 'utf8'), 'precious');
  t.same(vfd.requests, []);
});

test('hung: requests that fill the FIFO are not sent in part', async (t, vfd, client) => {
  await vfd.stop();
  const fd = openSync(vfd.fifo, constants.O_RDWR | constants.O_NONBLOCK); // a reader that does not read
  await t.rejects(client.ping(), { code: 'ERR_MIRROR_NO_ANSWER', errno: 'ETIMEDOUT' }, 'it reads nothing');
  t.throws(
    () => {
      for (;;) writeSync(fd, 'x'.repeat(4096));
    },
    { code: 'EAGAIN' },
  );
  await t.rejects(client.ping(), { code: 'ERR_MIRROR_NO_ANSWER', message: /does not read its requests/ });
  closeSync(fd);
});

test('an answer longer than a pipe, in pieces', async (t, vfd) => {
  const client = new VfdClient(vfd.fifo);
  for (let vf = 4; vf < 120; vf++) vfd.manage(0, vf, `guest_${vf}`);
  t.equal((await client.showAll()).length, 120);
  client.close();
});

test('what killed clients left is swept, what living ones have is not', async (t, vfd, client) => {
  const dead = join(vfd.dir, '.dpcap-answers-4000000-1-4026531836-abc');
  mkdirSync(dead, 0o700);
  writeFileSync(join(dead, 'answer.0'), '');
  const other = new VfdClient(vfd.fifo);
  await client.ping();
  await other.ping();
  t.equal(existsSync(dead), false);
  t.equal(vfd.leftovers().length, 2, 'one directory for each client');
  await client.ping();
  other.close();
});

test('a descriptor nobody writes to reads as silence', async (t, vfd) => {
  await vfd.stop();
  const fd = openSync(vfd.fifo, constants.O_RDONLY | constants.O_NONBLOCK);
  t.match(await readAnswer(fd, 20), { complete: false, abandoned: false });
  closeSync(fd);
});
