/** Captures a port for a second: node examples/capture.mjs PREFIX PORT FILE */
import { capture, listPrimaries } from 'dpcap';

const [filePrefix, port, file] = process.argv.slice(2);

for (const { primary, capturability } of await listPrimaries()) {
  console.log(`${primary.filePrefix}: can be captured: ${capturability.verdict}`);
}

const running = capture({ filePrefix, ports: [port], to: { file }, filter: 'ether[0] = 0', statsIntervalMs: 200 });
const { primary } = await running.started;
console.log(`capturing from ${primary}`);
setTimeout(() => running.stop(), 1000);
for await (const { elapsed_s, packets } of running.stats) console.log(`${elapsed_s} s: ${packets} packets`);

const { reason, stats, error } = await running.done;
if (error) throw error;
console.log(`${stats.packets} packets in ${file} (${reason})`);
