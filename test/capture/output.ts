import { execFileSync } from 'node:child_process';
import { existsSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { type Output, openOutput, PARTIAL } from '../../src/capture/output.js';
import { UsageError } from '../../src/errors.js';

const fdOf = (output: Output | undefined): number => (output?.sink.kind === 'file' ? output.sink.fd : -1);

t.test('a file looks unfinished until it is published', async (t) => {
  const path = join(t.testdir({}), 'x.pcap');
  const output = await openOutput({ kind: 'file', path });
  writeSync(fdOf(output), 'bytes');
  t.same([existsSync(path), existsSync(path + PARTIAL)], [false, true]);
  t.equal(output?.publish(), path);
  t.same([existsSync(path), existsSync(path + PARTIAL)], [true, false]);
});

t.test('a failed start leaves no file, and an old one as it was', async (t) => {
  const path = join(t.testdir({ 'x.pcap': 'old' }), 'x.pcap');
  (await openOutput({ kind: 'file', path }))?.remove();
  t.same([existsSync(path), existsSync(path + PARTIAL)], [true, false]);
});

t.test('a fifo is written directly', async (t) => {
  const path = join(t.testdir({}), 'fifo');
  execFileSync('mkfifo', [path]);
  const { openSync, constants } = await import('node:fs');
  openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  const output = await openOutput({ kind: 'file', path });
  t.equal(output?.publish(), undefined);
  t.notOk(existsSync(path + PARTIAL));
});

t.test('the wait for a reader of a fifo can be ended', async (t) => {
  const path = join(t.testdir({}), 'fifo');
  execFileSync('mkfifo', [path]);
  let asked = 0;
  t.equal(await openOutput({ kind: 'file', path }, () => asked++ === 2), undefined);
});

t.test('refusals', async (t) => {
  const dir = t.testdir({});
  await t.rejects(openOutput({ kind: 'file', path: dir }), { message: /is a directory/, exitCode: 2 });
  await t.rejects(openOutput({ kind: 'file', path: dir }), UsageError);
  const lost = join(dir, 'no', 'x.pcap');
  await t.rejects(openOutput({ kind: 'file', path: lost }), { code: 'ERR_SINK_OPEN', errno: 'ENOENT', subject: lost });
  writeFileSync(join(dir, 'plain'), '');
  const inFile = join(dir, 'plain', 'x');
  await t.rejects(openOutput({ kind: 'file', path: inFile }), {
    code: 'ERR_SINK_OPEN',
    errno: 'ENOTDIR',
    subject: inFile,
  });
});

t.test('an inherited descriptor is passed through', async (t) => {
  t.equal(fdOf(await openOutput({ kind: 'fd', fd: 1 })), 1);
});
