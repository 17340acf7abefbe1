/** Printing by a process of our own, where neither tcpdump nor tshark is installed. */
import { UsageError } from '../../errors.js';
import type { Display } from '../../protocol/display.js';
import { entryFile } from '../../system/location.js';
import { nodeCommand } from '../../system/own-process.js';
import type { PrintingProgram } from './program.js';

/** @throws UsageError for what only tcpdump can do */
export function ownPrinter(display: Display): PrintingProgram {
  const [impossible] = [
    ...Object.keys(display.values).map((letter) => `-${letter}`),
    ...display.names.map((name) => `--${name}`),
  ];
  if (impossible !== undefined) {
    throw new UsageError(`${impossible}: neither tcpdump nor tshark is installed, and dpcap alone cannot do that`, {
      subject: impossible,
      hint: 'install tcpdump, or leave it out',
    });
  }
  const node = nodeCommand([entryFile('printer'), JSON.stringify(display)]);
  return { name: "dpcap's own printer", ...node, noise: /^$/ };
}
