import fc from 'fast-check';
import t from 'tap';
import {
  dataRoomFor,
  type MempoolNeeds,
  type MempoolSize,
  mbufsFor,
  mempoolSize,
  planMempool,
} from '../../src/protocol/mempool-size.js';

const GIB = 2 ** 30;

type Wanted = Pick<MempoolNeeds, 'lanes' | 'usableBytes'> & {
  snaplen: number;
  maxFrame?: number;
  bufferBytes?: number;
};

const sizeOf = ({ maxFrame, ...wanted }: Wanted): MempoolSize =>
  mempoolSize({ ...planMempool(wanted, maxFrame), ...wanted });

t.test('mbufs of a size', async (t) => {
  t.equal(dataRoomFor(64, undefined), 128 + 64 + 72, 'snaplen decides when it is small');
  t.equal(dataRoomFor(262144, undefined), 128 + 2048 + 72);
  t.equal(dataRoomFor(262144, 9040), 128 + 9040 + 72, 'a jumbo frame fits one mbuf');
  t.equal(dataRoomFor(262144, 100000), 65535);
  const BYTES = fc.integer({ min: 2 ** 21, max: 2 ** 36 });
  const ROOM = fc.integer({ min: 200, max: 65535 });
  const LANES = fc.integer({ min: 1, max: 2048 });
  fc.assert(
    fc.property(BYTES, ROOM, LANES, (bytes, room, lanes) => {
      const mbufs = mbufsFor(bytes, room, lanes);
      return (
        Number.isInteger(Math.log2(mbufs + 1)) &&
        mbufs >= 1023 &&
        (mbufs === 1023 || mbufs * (room + 8 * (lanes + 1)) <= bytes)
      );
    }),
  );
});

t.test('without -B the mempool may grow where memory allows', async (t) => {
  const most = (lanes: number, usableBytes: number, snaplen = 262144): number =>
    sizeOf({ snaplen, lanes, usableBytes }).mostMbufs;
  t.match(sizeOf({ snaplen: 262144, lanes: 2, usableBytes: 704 * 2 ** 20 }), { mbufs: 65535, mostMbufs: 65535 });
  t.equal(most(2, 8 * GIB), 2 ** 18 - 1, '20 ms at 10 million packets a second');
  t.equal(most(2, 2 * GIB), 2 ** 17 - 1, 'a quarter of what is there');
  t.equal(most(100, 8 * GIB), 65535, 'many rings');
  t.equal(most(1, 8 * GIB, 96), 2 ** 18 - 1, 'small mbufs are many from the start');
  t.equal(sizeOf({ snaplen: 262144, maxFrame: 9022, lanes: 1, usableBytes: 8 * GIB }).mostMbufs, 65535);
});

t.test('-B is a promise', async (t) => {
  const size = sizeOf({ snaplen: 262144, bufferBytes: 80 * 2 ** 20, lanes: 1, usableBytes: 8 * GIB });
  t.match(size, { mbufs: 32767, mostMbufs: 32767 });
});

t.test('no capture takes more than a quarter of what the primary can use, unless -B says so', async (t) => {
  const BYTES = fc.integer({ min: 2 ** 27, max: 2 ** 36 });
  const LANES = fc.integer({ min: 1, max: 1024 });
  fc.assert(
    fc.property(BYTES, LANES, fc.constantFrom(64, 262144), (usableBytes, lanes, snaplen) => {
      const { mbufs, mostMbufs, dataRoom } = sizeOf({ snaplen, lanes, usableBytes });
      const taken = mbufs * (dataRoom + 192) + (mostMbufs + 1) * 8 * (lanes + 1);
      return mbufs === 1023 || taken <= usableBytes / 4 + usableBytes / 16;
    }),
  );
  t.match(sizeOf({ snaplen: 262144, lanes: 2, usableBytes: 170 * 2 ** 20 }), { mbufs: 16383, mostMbufs: 16383 });
  t.ok(sizeOf({ snaplen: 64, lanes: 1024, usableBytes: 8 * GIB }).mostMbufs * 8 * 1025 < 160 * 2 ** 20);
});
