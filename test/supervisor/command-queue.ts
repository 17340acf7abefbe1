/** Programs that are run for finished files: real ones, in real files. */
import { chmodSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { CommandQueue } from '../../src/supervisor/command-queue.js';

/** A queue for a shell script of the test's, and what people are told. A script that waits ends with its folder. */
function queueOf(t: Test, script: string, endWaitMs = 20_000): { queue: CommandQueue; told: string[]; folder: string } {
  const folder = t.testdir({ command: `#!/bin/sh\n${script}\n` });
  chmodSync(join(folder, 'command'), 0o755);
  const told: string[] = [];
  const queue = new CommandQueue(join(folder, 'command'), (text) => told.push(text), {}, endWaitMs);
  return { queue, told, folder };
}

t.test('each file is the only argument, without a shell, and all are done at the end', async (t) => {
  const { queue, told, folder } = queueOf(t, `echo "$# $1" >> "$(dirname "$0")/seen"`);
  const names = Array.from({ length: 20 }, (_, index) => `a $(id) ${index}; b`);
  for (const name of names) queue.add(name);
  await queue.end();
  const seen = readFileSync(join(folder, 'seen'), 'utf8').split('\n').slice(0, -1);
  t.same(seen.sort(), names.map((name) => `1 ${name}`).sort());
  t.same(told, []);
});

t.test('two run at a time', async (t) => {
  // Each waits for another one, so that two have to be there; a third one would see the two others.
  const { queue, told, folder } = queueOf(
    t,
    `cd "$(dirname "$0")"; mkdir "run-$1"; until [ $(ls -d run-* | wc -l) -ge 2 ] || [ -e pair ]; do sleep 0.01; done
touch pair; ls -d run-* | wc -l >> counts; rmdir "run-$1"`,
  );
  for (const name of ['1', '2', '3', '4', '5', '6']) queue.add(name);
  await queue.end();
  const counts = readFileSync(join(folder, 'counts'), 'utf8').trim().split('\n').map(Number);
  t.equal(counts.length, 6);
  t.equal(Math.max(...counts), 2);
  t.same(told, []);
});

t.test('a command that fails is told, the first times with the file', async (t) => {
  const { queue, told } = queueOf(t, 'exit 3');
  for (let file = 1; file <= 8; file++) queue.add(`x${file}`);
  await queue.end();
  t.match(told[0], /^-z .*command failed for x\d: exit code 3$/);
  t.equal(told.length, 6);
  t.match(told[5], /failed for 3 more files/);
});

t.test('a command that is killed, and one that does not exist', async (t) => {
  const { queue, told } = queueOf(t, 'kill -9 $$');
  queue.add('x');
  await queue.end();
  t.match(told, [/failed for x: SIGKILL/]);
  const missing: string[] = [];
  const none = new CommandQueue('/nonexistent/command', (text) => missing.push(text));
  none.add('y');
  await none.end();
  t.match(missing, [/failed for y: .*ENOENT/]);
});

t.test('a command that hangs holds nobody up: it is named and left, what waits is named', async (t) => {
  const { queue, told, folder } = queueOf(
    t,
    `echo $$ > "$(dirname "$0")/pid-$1"; while [ -e "$0" ] && [ ! -e "$(dirname "$0")/go" ]; do sleep 0.05; done`,
    300,
  );
  for (const name of ['a', 'b', 'c']) queue.add(name);
  await queue.end();
  t.match(told, [
    /still works on a \(pid \d+\) and is left to it/,
    /still works on b \(pid \d+\)/,
    /was not run for 1 files: c$/,
  ]);
  t.notOk(existsSync(join(folder, 'pid-c')));
  writeFileSync(join(folder, 'go'), '');
});

t.test('a queue that grows beyond all bounds is cut, and that is told once', async (t) => {
  const { queue, told, folder } = queueOf(
    t,
    `while [ -e "$0" ] && [ ! -e "$(dirname "$0")/go" ]; do sleep 0.05; done`,
    1,
  );
  for (let file = 0; file < 1010; file++) queue.add(`x${file}`);
  t.match(told, [/cannot keep up/]);
  writeFileSync(join(folder, 'go'), '');
  await queue.end();
  t.match(told.at(-1), /was not run for \d+ files/);
});
