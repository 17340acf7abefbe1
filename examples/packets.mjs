/** Looks at packets as they come, and says who sends to whom: node examples/packets.mjs PREFIX PORT COUNT */
import { capture } from 'dpcap';

const [filePrefix, port, count] = process.argv.slice(2);
const running = capture({ filePrefix, ports: [port], snaplen: 64, packets: true, packetLimit: Number(count) });

const address = (bytes) => Buffer.from(bytes).toString('hex').match(/../g).join(':');
const pairs = new Map();
for await (const batch of running.packets) {
  for (const { bytes, length } of batch) {
    const pair = `${address(bytes.subarray(6, 12))} > ${address(bytes.subarray(0, 6))}`;
    const sum = pairs.get(pair) ?? { packets: 0, bytes: 0 };
    pairs.set(pair, { packets: sum.packets + 1, bytes: sum.bytes + length });
  }
}

const { stats, error } = await running.done;
if (error) throw error;
for (const [pair, { packets, bytes }] of pairs) console.log(`${packets} packets, ${bytes} bytes: ${pair}`);
const lost = stats.ports.reduce((all, { nombuf, ringfull, sinkdrop }) => all + nombuf + ringfull + sinkdrop, 0);
console.log(`${stats.packets} packets seen, ${lost} lost`);
