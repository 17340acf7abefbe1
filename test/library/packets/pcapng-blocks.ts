/** A stream is taken apart wherever its pieces end. */
import t from 'tap';
import { BlockJoiner, headsIn, interfacesIn, packetsIn } from '../../../src/library/packets/pcapng-blocks.js';
import { head, packet, statistics } from '../../helpers/pcapng-text.js';

const NAMES = ['net_null0', '0000:03:00.0'];
const STREAM = Buffer.concat([
  head(NAMES),
  packet({ ns: 1_796_000_000_123_456_789n, queue: 3, bytes: 'hello' }),
  packet({ interface: 1, ns: 1_796_000_000_123_456_790n, flags: 2 | (1 << 9), length: 1500 }),
  packet({ bytes: '' }),
  statistics(),
]);

t.test('packets as they were written', async (t) => {
  t.same(interfacesIn(STREAM), NAMES);
  t.same(
    packetsIn(STREAM, NAMES).map((one) => ({ ...one, bytes: Buffer.from(one.bytes).toString() })),
    [
      {
        time: 1_796_000_000_123_456_789n,
        interface: 'net_null0',
        direction: 'rx',
        queue: 3,
        length: 5,
        bytes: 'hello',
      },
      {
        time: 1_796_000_000_123_456_790n,
        interface: '0000:03:00.0',
        direction: 'tx',
        queue: 0,
        length: 1500,
        bytes: 'abcdef',
      },
      { time: 0n, interface: 'net_null0', direction: 'rx', queue: 0, length: 0, bytes: '' },
    ],
  );
  t.same(
    [...headsIn(STREAM)].map(({ bytes }) => bytes),
    [5, 6, 0],
  );
});

t.test('pieces of any size make the same blocks', async (t) => {
  for (let size = 1; size <= STREAM.length; size++) {
    const joiner = new BlockJoiner();
    const joined: Buffer[] = [];
    for (let at = 0; at < STREAM.length; at += size) joined.push(joiner.join(STREAM.subarray(at, at + size)));
    if (!Buffer.concat(joined).equals(STREAM)) t.fail(`pieces of ${size} bytes`);
  }
});

t.test('what is no stream of ours is refused', async (t) => {
  t.throws(() => new BlockJoiner().join(Buffer.from('GET / HTTP/1.1\r\n')), /no stream of ours/);
  t.throws(() => new BlockJoiner().join(Buffer.alloc(16)), /a block of 0 bytes/);
});
