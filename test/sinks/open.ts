import { execFileSync } from 'node:child_process';
import { constants, existsSync, openSync, readFileSync, symlinkSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { type OutputPlan, sinkOf } from '../../src/sinks/registry.js';
import type { Output } from '../../src/sinks/sink.js';

const openOutput = async (output: OutputPlan, isStopped = () => false): Promise<Output | undefined> =>
  sinkOf(output).open(output, isStopped);
const fdOf = (output: Output | undefined): number => (output?.sink.kind === 'file' ? output.sink.fd : -1);

function filePlan(path: string): Extract<OutputPlan, { kind: 'file' }> & { unfinished: string } {
  return { kind: 'file', path, unfinished: `${path}.1-abc.partial` };
}

t.test('a file looks unfinished until it is published', async (t) => {
  const plan = filePlan(join(t.testdir({}), 'x.pcap'));
  const output = await openOutput(plan);
  writeSync(fdOf(output), 'bytes');
  t.same([existsSync(plan.path), existsSync(plan.unfinished)], [false, true]);
  t.same(await output?.publish(), { file: plan.path });
  t.same([existsSync(plan.path), existsSync(plan.unfinished)], [true, false]);
});

t.test('a failed start leaves no file, and an old one as it was', async (t) => {
  const plan = filePlan(join(t.testdir({ 'x.pcap': 'old' }), 'x.pcap'));
  await (await openOutput(plan))?.remove();
  t.same([readFileSync(plan.path, 'utf8'), existsSync(plan.unfinished)], ['old', false]);
});

t.test('what is in the place of the unfinished file is neither followed nor written', async (t) => {
  const plan = filePlan(join(t.testdir({ 'x.pcap': 'old', victim: 'precious' }), 'x.pcap'));
  const victim = join(t.testdirName, 'victim');
  symlinkSync(victim, plan.unfinished);
  await t.rejects(openOutput(plan), { code: 'ERR_SINK_OPEN', errno: 'EEXIST' });
  t.equal(readFileSync(victim, 'utf8'), 'precious');
});

t.test('a file that cannot be given its name keeps the other one, and that is said', async (t) => {
  const plan = filePlan(join(t.testdir({}), 'x.pcap'));
  const output = await openOutput(plan);
  execFileSync('mkdir', [plan.path]);
  t.match(await output?.publish(), { file: plan.unfinished, error: { errno: 'EISDIR', hint: plan.unfinished } });
  t.ok(existsSync(plan.unfinished));
});

t.test('another file in the place of ours is not published', async (t) => {
  const plan = filePlan(join(t.testdir({}), 'x.pcap'));
  const output = await openOutput(plan);
  execFileSync('mv', [plan.unfinished, `${plan.unfinished}.taken`]);
  writeFileSync(plan.unfinished, 'not packets');
  t.match(await output?.publish(), { file: undefined, error: { code: 'ERR_SINK_WRITE' } });
  await output?.remove();
  t.ok(existsSync(plan.unfinished), 'nor removed');
});

t.test('in place: the file stays the same one', async (t) => {
  const path = join(t.testdir({ 'x.pcap': 'a longer text than before' }), 'x.pcap');
  execFileSync('ln', [path, `${path}.twin`]);
  const output = await openOutput({ kind: 'file', path });
  t.equal(readFileSync(path, 'utf8'), 'a longer text than before', 'as long as the start may fail');
  await output?.empty?.();
  writeSync(fdOf(output), 'bytes');
  t.same(await output?.publish(), { file: path });
  t.equal(readFileSync(`${path}.twin`, 'utf8'), 'bytes');
});

t.test('a fifo is written directly', async (t) => {
  const path = join(t.testdir({}), 'fifo');
  execFileSync('mkfifo', [path]);
  openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  const output = await openOutput({ kind: 'device', path });
  t.same(await output?.publish(), { file: undefined });
});

t.test('the wait for a reader of a fifo can be ended', async (t) => {
  const path = join(t.testdir({}), 'fifo');
  execFileSync('mkfifo', [path]);
  let asked = 0;
  t.equal(await openOutput({ kind: 'device', path }, () => asked++ === 2), undefined);
});

t.test('what has changed since it was looked at is refused', async (t) => {
  const path = join(t.testdir({ victim: 'precious' }), 'x.pcap');
  const victim = join(t.testdirName, 'victim');
  symlinkSync(victim, path);
  await t.rejects(openOutput({ kind: 'device', path }), { code: 'ERR_SINK_OPEN', errno: 'ELOOP' });
  await t.rejects(openOutput({ kind: 'file', path }), { code: 'ERR_SINK_OPEN', errno: 'ELOOP' });
  await t.rejects(openOutput({ kind: 'device', path: victim }), { code: 'ERR_SINK_OPEN', errno: 'ESTALE' });
  t.equal(readFileSync(victim, 'utf8'), 'precious');
});

t.test('refusals', async (t) => {
  const dir = t.testdir({ plain: '' });
  const [lost, inFile] = [filePlan(join(dir, 'no', 'x.pcap')), filePlan(join(dir, 'plain', 'x'))];
  await t.rejects(openOutput(lost), { code: 'ERR_SINK_OPEN', errno: 'ENOENT', subject: lost.path });
  await t.rejects(openOutput(inFile), { code: 'ERR_SINK_OPEN', errno: 'ENOTDIR', subject: inFile.path });
});

t.test('an inherited descriptor is passed through', async (t) => {
  t.equal(fdOf(await openOutput({ kind: 'fd', fd: 1, name: 'standard output' })), 1);
});
