import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { GET, type Request } from '../../src/dpvs/message.js';
import { exchange } from '../../src/dpvs/transport.js';
import { FakeDpvs, type Fault, header } from './helpers/fake-dpvs.js';
import { tempDir } from './helpers/temp-dir.js';

const LIST: Request = { type: GET, id: 60, body: new Uint8Array(0) };
const SHORT_MS = 150;
const STANDALONE = fileURLToPath(new URL('./helpers/fake-dpvs-process.js', import.meta.url));

async function withFake<T>(dir: string, fault: Fault | undefined, use: (path: string, fake: FakeDpvs) => Promise<T>) {
  const path = join(dir, 'ipc');
  const fake = await FakeDpvs.start({ path, dialect: 'C', fault: () => fault });
  try {
    return await use(path, fake);
  } finally {
    await fake.stop();
  }
}

t.test('one request, one connection, one piece', async (t) => {
  await withFake(tempDir(t), undefined, async (path, fake) => {
    t.match(await exchange(path, LIST), { kind: 'reply', reply: { errcode: 0, errstr: 'OK' } });
    t.equal(fake.requests[0]?.pieces, 1);
    t.equal(fake.requests[0]?.bytes.toString('hex'), `000001003c000000${'00'.repeat(16)}`);
    t.same(await exchange(path, { ...LIST, id: 9999 }), { kind: 'closed' }, 'no handler');
  });
});

const reply = header({ id: 60, type: 0 }, 0, Buffer.alloc(28));
const FAULTS: [string, Buffer, RegExp][] = [
  ['short header', reply.subarray(0, 87), /ends after 87 bytes/],
  ['short body', reply.subarray(0, 100), /ends after 100 bytes/],
  ['too long', Buffer.concat([reply, Buffer.alloc(1)]), /longer than the 28 bytes/],
  ['garbage', Buffer.alloc(200, 0xa5), /another version/],
  ['a foreign program', Buffer.from('SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n'), /ends after 32 bytes/],
];
for (const [name, bytes, message] of FAULTS) {
  t.test(`answer: ${name}`, async (t) => {
    await withFake(tempDir(t), { kind: 'bytes', bytes }, async (path) => {
      await t.rejects(exchange(path, LIST), { code: 'ERR_DPVS_FOREIGN', message, exitCode: 1 });
    });
  });
}

t.test('closed without an answer', async (t) => {
  await withFake(tempDir(t), { kind: 'close' }, async (path) => {
    t.same(await exchange(path, LIST), { kind: 'closed' });
  });
});

t.test('a slow answer is waited for, a missing one is not, and its connection is given up', async (t) => {
  let go = (): void => {};
  const until = new Promise<void>((resolve) => {
    go = resolve;
  });
  await withFake(tempDir(t), { kind: 'slow', until }, async (path, fake) => {
    const answer = exchange(path, LIST);
    while (fake.requests.length === 0) await new Promise((resolve) => setImmediate(resolve));
    go();
    t.match(await answer, { kind: 'reply' });
  });
  await withFake(tempDir(t), { kind: 'hang' }, async (path, fake) => {
    const late = { code: 'ERR_DPVS_TIMEOUT', errno: 'ETIMEDOUT' };
    await t.rejects(exchange(path, LIST, { deadlineMs: SHORT_MS }), late);
    await t.rejects(exchange(path, LIST, { deadlineMs: SHORT_MS }), late);
    t.equal(fake.requests.length, 2, 'the first connection made room for the second');
  });
});

t.test('nobody there', async (t) => {
  const dir = tempDir(t);
  await t.rejects(exchange(join(dir, 'none'), LIST), { code: 'ERR_DPVS_ABSENT', errno: 'ENOENT' });
  writeFileSync(join(dir, 'file'), '');
  await t.rejects(exchange(join(dir, 'file'), LIST), { code: 'ERR_DPVS_ABSENT', errno: 'ECONNREFUSED' });
  await t.rejects(exchange(join(dir, 'file/below'), LIST), { code: 'ERR_DPVS_ABSENT', errno: 'ENOTDIR' });
});

t.test('a program that only listens', async (t) => {
  const path = join(tempDir(t), 'ipc');
  const server = createServer(() => {}).listen(path);
  await once(server, 'listening');
  server.unref();
  await t.rejects(exchange(path, LIST, { deadlineMs: SHORT_MS }), { code: 'ERR_DPVS_TIMEOUT' });
  server.close();
});

t.test('EAGAIN: two others wait, then there is room', async (t) => {
  const path = join(tempDir(t), 'ipc');
  const child = spawn(process.execPath, [STANDALONE, path, 'C'], { stdio: ['ignore', 'pipe', 'inherit'] });
  t.teardown(() => child.kill('SIGKILL'));
  await once(child.stdout, 'data');
  child.kill('SIGSTOP');
  const others = [connect(path), connect(path)];
  for (const other of others) {
    other.on('error', () => {});
    await once(other, 'connect');
  }
  await t.rejects(exchange(path, LIST, { deadlineMs: 60 }), { code: 'ERR_DPVS_TIMEOUT', errno: 'EAGAIN' }, 'bounded');
  let retries = 0;
  const onRetry = (): void => {
    if (++retries !== 3) return;
    for (const other of others) other.destroy();
    child.kill('SIGCONT');
  };
  t.match(await exchange(path, LIST, { onRetry, deadlineMs: 10_000 }), { kind: 'reply' });
  t.ok(retries >= 3, 'it went on trying');
});
