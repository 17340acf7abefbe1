/**
 * The printer of our own, a process of its own: reads a pcap stream from standard input and prints a line a packet. Its one
 * argument is a Display as JSON. It is started where neither tcpdump nor tshark is installed.
 */
import '../system/signals.js';
import { once } from 'node:events';
import { errnoOf } from '../errors.js';
import { displaySchema } from '../protocol/display.js';
import { Lines } from './lines.js';
import { PcapStream } from './pcap-stream.js';

async function print(): Promise<void> {
  const lines = new Lines(displaySchema.parse(JSON.parse(process.argv[2] ?? '')));
  const stream = new PcapStream();
  for await (const piece of process.stdin) {
    const text = [...stream.packets(piece)].map((packet) => lines.text(packet)).join('');
    if (text !== '' && !process.stdout.write(text)) await once(process.stdout, 'drain');
  }
}

// Its reader has seen enough (`| head`): there is nothing more to do.
process.stdout.on('error', (error) => process.exit(errnoOf(error) === 'EPIPE' ? 0 : 1));
print().catch((error: Error) => {
  process.stderr.write(`dpcap: cannot print packets: ${error.message}\n`);
  process.exitCode = 1;
});
