/** A capture of an application that replays frames from a file, and sends what it receives into another one. */
import { join } from 'node:path';
import type { Test } from 'tap';
import { readPcap, writePcap } from '../helpers/pcap-file.js';
import { balances } from './accounting.js';
import { startCapture } from './capture.js';
import { run } from './processes.js';
import type { Testpmd } from './testpmd.js';

/** Frames that differ, and end at odd lengths. */
const FRAMES = Array.from({ length: 300 }, (_, index) => {
  const frame = Buffer.alloc(60 + ((index * 37) % 1400), index);
  frame.writeUInt16BE(0x88b5, 12);
  return frame;
});

/**
 * Tests that a capture has all that such an application receives and sends, byte for byte.
 * @param start starts the application with these devices
 * @param words of the capture, without its output
 * @returns the application, which goes on
 */
export async function isByteForByte(
  t: Test,
  start: (vdevs: string[]) => Promise<Testpmd>,
  words: readonly string[],
): Promise<Testpmd> {
  const folder = t.testdir();
  const [input, file] = [join(folder, 'in.pcap'), join(folder, 'out.pcapng')];
  writePcap(input, FRAMES);
  const testpmd = await start([`net_pcap0,rx_pcap=${input},tx_pcap=${join(folder, 'sent.pcap')}`]);
  t.teardown(() => testpmd.stop());
  const running = await startCapture(testpmd, [...words, '-w', file]).started();
  await testpmd.command('start');
  await running.written(2 * FRAMES.length);
  balances(t, await running.stop());
  run('editcap', ['-F', 'nsecpcap', file, `${file}.plain`]);
  const packets = readPcap(`${file}.plain`).packets.map(({ data }) => data);
  t.same(sorted(packets), sorted([...FRAMES, ...FRAMES]), 'received and sent, byte for byte');
  return testpmd;
}

function sorted(frames: readonly Uint8Array[]): string[] {
  return frames.map((frame) => Buffer.from(frame).toString('hex')).sort();
}
