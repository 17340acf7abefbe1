/** Packets that come to the program: all of them, or counted. */
import { once } from 'node:events';
import { PassThrough } from 'node:stream';
import t from 'tap';
import { PacketStream } from '../../../src/library/packets/packet-stream.js';
import type { StatsRecord } from '../../../src/supervisor/report/stats-record.js';
import { head, packet } from '../../helpers/pcapng-text.js';

const MEMORY = 4096;

/** A stream, and how often the program has left it. */
function streamed(): { packets: PacketStream; engine: PassThrough; left: () => number } {
  let left = 0;
  const packets = new PacketStream(MEMORY, () => left++);
  const engine = new PassThrough();
  packets.receive(engine);
  engine.write(head(['a', 'b']));
  return { packets, engine, left: () => left };
}

/** The engine's end. */
async function ended({ packets, engine }: { packets: PacketStream; engine: PassThrough }): Promise<void> {
  engine.end();
  await packets.complete();
  packets.end();
}

const lane = (port: number, written: number): StatsRecord['ports'][0] => ({
  ...{ port, name: 'x', queue: 0, direction: 'rx' as const, accepted: written, filtered: 0, nombuf: 0, ringfull: 0 },
  ...{ contended: 0, unread: 0, written, sinkdrop: 0, surplus: 0 },
});

function record(ports: StatsRecord['ports']): StatsRecord {
  const packets = ports.reduce((all, { written }) => all + written, 0);
  return { time: '', elapsed_s: 1, file_prefix: 'p', ports, packets, bytes: packets * 6, files: [], mbufs: 0 };
}

t.test('every packet comes, with those that came before anybody looked', async (t) => {
  const { packets, engine, left } = streamed();
  for (let i = 0; i < 10; i++) engine.write(packet({ ns: BigInt(i), interface: i % 2 }));
  await ended({ packets, engine });
  const seen: string[] = [];
  for await (const batch of packets) seen.push(...batch.map(({ time, interface: name }) => `${name}${time}`));
  t.equal(seen.join(' '), 'a0 b1 a2 b3 a4 b5 a6 b7 a8 b9');
  t.equal(left(), 0);
  const stats = record([lane(7, 10)]);
  t.equal(packets.losses.countedIn(stats, [7, 8]), stats, 'nothing was lost');
  await t.rejects(packets[Symbol.asyncIterator]().next(), { code: 'ERR_USAGE' }, 'they can be read once');
});

t.test('a program that does not read has bounded memory, and the rest is counted by lane', async (t) => {
  const { packets, engine } = streamed();
  const one = packet({ interface: 1 });
  for (let i = 0; i < 1000; i++) engine.write(packet({ interface: i % 2 }));
  await ended({ packets, engine });
  let came = 0;
  for await (const batch of packets) came += batch.length;
  t.equal(came, Math.floor(MEMORY / one.length));
  const { packets: counted, bytes, ports } = packets.losses.countedIn(record([lane(7, 500), lane(8, 500)]), [7, 8]);
  t.equal(counted, came);
  t.equal(bytes, came * 6);
  for (const { accepted, written, sinkdrop } of ports) t.equal(accepted, written + sinkdrop);
  const older = packets.losses.countedIn(record([lane(7, 1), lane(8, 1)]), [7, 8]);
  t.match(older, { packets: 0, bytes: 0 }, 'never more than an older record has');
});

t.test('who leaves the loop has seen what is counted as written', async (t) => {
  const { packets, engine, left } = streamed();
  for (let i = 0; i < 5; i++) engine.write(packet({}));
  for await (const batch of packets) {
    t.equal(batch.length, 1);
    break;
  }
  t.equal(left(), 1, 'the capture is told to end');
  engine.write(packet({}));
  await ended({ packets, engine });
  t.match(packets.losses.countedIn(record([lane(3, 6)]), [3]), { packets: 1, ports: [{ written: 1, sinkdrop: 5 }] });
});

t.test('a broken stream ends the capture with an error', async (t) => {
  const { packets, engine, left } = streamed();
  engine.write('no block at all ');
  await once(engine, 'close');
  packets.end();
  t.match(packets.error, { code: 'ERR_SINK_WRITE', message: /no stream of ours/ });
  t.equal(left(), 1);
});
