import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { createSend } from '../../src/engine/engine-channel.js';

const ORPHAN = fileURLToPath(new URL('./helpers/orphan.js', import.meta.url));

t.test('a supervisor that has just died is no uncaught error', async (t) => {
  const child = spawn(process.execPath, [ORPHAN], { stdio: ['pipe', 'pipe', 'inherit', 'ipc'] });
  if (!child.stdin || !child.stdout) throw new Error('no pipes');
  const output = text(child.stdout);
  const exit = once(child, 'exit');
  await once(child, 'message'); // it listens
  await new Promise((resolve) => child.send('go', resolve));
  child.disconnect();
  child.stdin.end();
  t.same(await exit, [0, null]);
  t.equal(await output, 'gone');
});

t.test('nothing is sent through a closed channel', async (t) => {
  const channel = { connected: false, send: () => t.fail('sent') } as unknown as NodeJS.Process;
  createSend(() => t.fail('told twice'), channel)({ type: 'ready' });
  t.pass();
});
