/** Sends to a parent that is gone, before its event loop has had the time to notice. */
import { readSync } from 'node:fs';
import { createSend } from '../../../src/engine/engine-channel.js';

const send = createSend(() => {
  process.stdout.write('gone');
  process.exit(0);
});

process.on('message', () => {
  // Deaf until the parent, which closes the channel first and its end of this pipe after that, has done so.
  const byte = Buffer.alloc(1);
  while (readSync(0, byte) > 0) {}
  send({ type: 'ready' });
});
send({ type: 'ready' });
