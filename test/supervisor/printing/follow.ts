/** A file that grows is passed on whole, however slow the other side is, and whether it stays or not. */
import { once } from 'node:events';
import { appendFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { PassThrough, Writable } from 'node:stream';
import { setImmediate as nextTurn } from 'node:timers/promises';
import t from 'tap';
import { Follower } from '../../../src/supervisor/printing/follow.js';

t.test('all of it, also under another name', async (t) => {
  const path = join(t.testdir(), 'x');
  writeFileSync(path, 'head ');
  const to = new PassThrough();
  const follower = new Follower(to);
  follower.start(path);
  t.equal(String((await once(to, 'data'))[0]), 'head ');
  appendFileSync(path, 'more ');
  t.equal(String((await once(to, 'data'))[0]), 'more ');
  renameSync(path, `${path}.done`);
  appendFileSync(`${path}.done`, 'end');
  const last = once(to, 'data');
  const ended = once(to, 'end');
  await follower.finish();
  t.equal(String((await last)[0]), 'end');
  await ended;
});

t.test('to a slow program, in order', async (t) => {
  const content = Buffer.alloc(3_000_000, 'abcdefg');
  const path = join(t.testdir({ x: content }), 'x');
  const got: Buffer[] = [];
  const slow = new Writable({
    highWaterMark: 1000,
    write(chunk: Buffer, _, done) {
      got.push(Buffer.from(chunk));
      void nextTurn().then(() => done());
    },
  });
  const follower = new Follower(slow);
  follower.start(path);
  await follower.finish();
  t.ok(Buffer.concat(got).equals(content));
});

t.test('to a program that leaves, also while it is written to', async (t) => {
  const path = join(t.testdir({ x: Buffer.alloc(3_000_000) }), 'x');
  for (const isStalled of [false, true]) {
    const leaving = new Writable({ write: (_, __, done) => void (isStalled || done()) });
    const follower = new Follower(leaving);
    follower.start(path);
    leaving.destroy(new Error('EPIPE'));
    await follower.finish();
    t.ok(leaving.destroyed);
  }
});

t.test('nothing, when it never began', async (t) => {
  const to = new PassThrough();
  to.resume();
  await new Follower(to).finish();
  t.ok(to.writableFinished);
});

t.test('a file that cannot be opened is told at the end', async (t) => {
  const follower = new Follower(new PassThrough());
  follower.start(join(t.testdir(), 'none'));
  await t.rejects(follower.finish(), { code: 'ENOENT' });
});
