import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, constants, openSync, readFileSync, readSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { errnoOf } from '../../src/errors.js';
import { Diagnostics } from '../../src/system/diagnostics.js';

const LINE = `${'x'.repeat(99)}\n`;
const WRITER = new URL('../../src/system/diagnostics.js', import.meta.url).href;

/** Both ends of a FIFO; what is written blocks when nobody reads it. */
function fifo(t: Test): { reader: number; writer: number } {
  const path = join(t.testdir({}), 'fifo');
  execFileSync('mkfifo', [path]);
  const reader = openSync(path, constants.O_RDONLY | constants.O_NONBLOCK);
  return { reader, writer: openSync(path, 'w') };
}

/** What is there to be read. */
function drain(fd: number): string {
  const bytes = Buffer.alloc(1 << 16);
  let text = '';
  try {
    for (let size = 1; size > 0; text += bytes.toString('latin1', 0, size)) size = readSync(fd, bytes);
  } catch (error) {
    if (errnoOf(error) !== 'EAGAIN') throw error;
  }
  return text;
}

t.test('a reader that does not read holds nobody up, and loses whole lines', async (t) => {
  const { reader, writer } = fifo(t);
  const flags = (): string => readFileSync(`/proc/self/fdinfo/${writer}`, 'latin1').replace(/^pos.*\n/, '');
  const before = flags();
  const diagnostics = new Diagnostics(writer);
  for (let i = 0; i < 10_000; i++) diagnostics.write(LINE);
  await diagnostics.flushed(50);
  t.equal(flags(), before, 'the descriptor that others share blocks as before');
  let text = drain(reader);
  await diagnostics.flushed();
  text += drain(reader);
  t.ok(text.length > 64_000 && text.length < 200_000, `${text.length} bytes were kept`);
  t.ok(
    text.split('\n').every((line) => line === '' || line.length === 99),
    'no half lines',
  );
  diagnostics.write('again\n');
  t.equal(drain(reader), 'again\n', 'one that reads again gets what is said then');
});

t.test('a reader that left, a full device and a closed descriptor are no errors', async (t) => {
  const { reader, writer } = fifo(t);
  const piped = new Diagnostics(writer);
  piped.write(LINE);
  closeSync(reader);
  const late = new Diagnostics(writer);
  const closed = 999;
  for (const diagnostics of [piped, late, new Diagnostics(openSync('/dev/full', 'w')), new Diagnostics(closed)]) {
    for (let i = 0; i < 3; i++) diagnostics.write(LINE);
    await diagnostics.flushed();
  }
});

/** Of as many, six hung when node wrote to the socket (see open() in diagnostics.ts). */
const WITH_SOCKET = 32;

t.test('the same for a socket, and the process ends', async (t) => {
  const code = `import { diagnostics } from ${JSON.stringify(WRITER)};
    for (let i = 0; i < 3000; i++) diagnostics.write(${JSON.stringify(LINE)});
    await diagnostics.flushed(50);`;
  const ends = Array.from({ length: WITH_SOCKET }, async () => {
    const args = ['--input-type=module', '-e', code];
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'inherit', 'pipe'] });
    child.stderr.pause(); // what does not fit into the socket waits when the process ends
    const end = await once(child, 'exit');
    child.stderr.destroy();
    return end;
  });
  for (const end of await Promise.all(ends)) t.same(end, [0, null]);
});

t.test('lines are passed on whole', async (t) => {
  const { reader, writer } = fifo(t);
  const code = `process.stdout.write('reading fr'); setTimeout(() => process.stdout.write('om x\\nkept\\nla'), 50);
    setTimeout(() => process.stdout.write('st'), 100);`;
  const child = spawn(process.execPath, ['-e', code], { stdio: ['ignore', 'pipe', 'inherit'] });
  new Diagnostics(writer).passOn(child.stdout, (line) => !line.startsWith('reading from'));
  await once(child, 'close');
  t.equal(drain(reader), 'kept\nlast\n');
});
