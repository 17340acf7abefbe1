/** Compares what dpcap captures at a port with what tcpdump sees on the other end of its wire. */
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Test } from 'tap';
import { readPcap } from '../helpers/pcap-file.js';
import { balances } from './accounting.js';
import { startCapture } from './capture.js';
import { type Bridge, startHttpServer } from './netns.js';
import { countPackets } from './pcap.js';
import { run } from './processes.js';

const WANTED = 'icmp or tcp port 80';
const PINGS = 5;
const LAST_BYTES = 777;
const DEADLINE_MS = 10_000;

/** Frames of a file that a filter selects, in an order of their own: two tools may see two directions in turn. */
function framesIn(file: string): string[] {
  const selected = `${file}.selected`;
  run('tcpdump', ['-Z', 'root', '-r', file, '-w', selected, WANTED]);
  return readPcap(selected)
    .packets.map(({ data }) => Buffer.from(data).toString('hex'))
    .sort();
}

/** Waits until a file that grows has the last ping and its answer; resolves with how many frames it has then. */
async function framesUpToLast(file: string): Promise<number> {
  const deadline = Date.now() + DEADLINE_MS;
  while (countPackets(file, `icmp and greater ${LAST_BYTES}`) < 2) {
    if (Date.now() > deadline) throw new Error('tcpdump has not seen the last ping');
    await delay(20);
  }
  return countPackets(file, WANTED);
}

/**
 * Sends pings and a request through an application between two namespaces, and captures them at `port`, that of a.
 * @param options further ones of the capture
 */
export async function isWhatTcpdumpSees(
  t: Test,
  bridge: Bridge,
  prefix: string,
  port: string,
  options: readonly string[] = [],
): Promise<void> {
  const folder = t.testdir();
  const [ours, theirs] = [join(folder, 'dpcap.pcap'), join(folder, 'tcpdump.pcap')];
  const server = await startHttpServer(bridge.b);
  const running = await startCapture({ prefix }, [...options, '-i', port, '-w', ours, WANTED]).started();
  const wire = bridge.a.start('tcpdump', ['-i', 'eth0', '-U', '-Z', 'root', '-w', theirs]);
  await wire.expect(/listening on/);
  bridge.a.run('ping', ['-c', String(PINGS), '-i', '0.05', '-W', '2', bridge.b.address]);
  t.match(bridge.a.run('curl', ['-s', server.url]), /hello from dpcap/);
  // Once both have the answer to a ping of its own length, they have all that came before it.
  bridge.a.run('ping', ['-c', '1', '-s', String(LAST_BYTES), '-W', '2', bridge.b.address]);
  await running.written(await framesUpToLast(theirs));
  const captured = await running.stop();
  await wire.stop('SIGINT');
  balances(t, captured);
  t.ok(framesIn(ours).length > 2 * PINGS);
  t.same(framesIn(ours), framesIn(theirs), 'packet by packet');
  await server.stop();
}
