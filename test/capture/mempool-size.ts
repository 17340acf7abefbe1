import fc from 'fast-check';
import t from 'tap';
import { dataRoomFor, mbufsFor, mempoolSize } from '../../src/capture/mempool-size.js';

const GIB = 2 ** 30;

t.test('mbufs of a size', async (t) => {
  t.equal(dataRoomFor(64, undefined), 128 + 64 + 72, 'snaplen decides when it is small');
  t.equal(dataRoomFor(262144, undefined), 128 + 2048 + 72);
  t.equal(dataRoomFor(262144, 9040), 128 + 9040 + 72, 'a jumbo frame fits one mbuf');
  t.equal(dataRoomFor(262144, 100000), 65535);
  fc.assert(
    fc.property(fc.integer({ min: 2 ** 21, max: 2 ** 36 }), fc.integer({ min: 200, max: 65535 }), (bytes, room) => {
      const mbufs = mbufsFor(bytes, room);
      return Number.isInteger(Math.log2(mbufs + 1)) && mbufs >= 1023 && (mbufs === 1023 || mbufs * room <= bytes);
    }),
  );
});

t.test('without -B the mempool may grow where memory allows', async (t) => {
  const most = (lanes: number, freeHugePages: number, snaplen = 262144): number =>
    mempoolSize({ snaplen, lanes, freeHugePages }).mostMbufs;
  t.match(mempoolSize({ snaplen: 262144, lanes: 2, freeHugePages: 0 }), { mbufs: 65535, mostMbufs: 65535 });
  t.equal(most(2, 8 * GIB), 2 ** 18 - 1, '20 ms at 10 million packets a second');
  t.equal(most(2, 2 * GIB), 2 ** 17 - 1, 'a quarter of what is free');
  t.equal(most(100, 8 * GIB), 65535, 'many rings');
  t.equal(most(1, 8 * GIB, 96), 2 ** 18 - 1, 'small mbufs are many from the start');
  t.equal(mempoolSize({ snaplen: 262144, maxFrame: 9022, lanes: 1, freeHugePages: 8 * GIB }).mostMbufs, 65535);
});

t.test('-B is a promise', async (t) => {
  const size = mempoolSize({ snaplen: 262144, bufferBytes: 80 * 2 ** 20, lanes: 1, freeHugePages: 8 * GIB });
  t.match(size, { mbufs: 32767, mostMbufs: 32767 });
});
