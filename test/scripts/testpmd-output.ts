import t from 'tap';
import { parseForwarding, parseHeapMb, parseMempools, parseMemzones, parseRings } from '../harness/testpmd-output.js';

const FORWARDING = `
  ---------------------- Forward statistics for port 0  ----------------------
  RX-packets: 29906240       RX-dropped: 0             RX-total: 29906240
  TX-packets: 29906208       TX-dropped: 7             TX-total: 29906215
  ----------------------------------------------------------------------------

  +++++++++++++++ Accumulated forward statistics for all ports+++++++++++++++
  RX-packets: 59812800       RX-dropped: 0             RX-total: 59812800
  TX-packets: 59812768       TX-dropped: 9             TX-total: 59812768
`;

t.test('names are sorted', async (t) => {
  const zones =
    'Zone 0: name:<rte_pdump_stats>, len:0x400040\nphysical segments used:\nZone 1: name:<MP_pool>, len:0x1\n';
  t.same(parseMemzones(zones), ['MP_pool', 'rte_pdump_stats']);
  t.same(parseRings('ring <b>@0x1\n  flags=0\nring <a>@0x2\n'), ['a', 'b']);
  t.same(parseMempools('mempool <mb_pool_0>@0x1\n  flags=10\n  pool=0x2\n'), ['mb_pool_0']);
  t.same(parseRings(''), []);
});

t.test('forwarding by port and in sum', async (t) => {
  t.same(parseForwarding(FORWARDING, 0), { rxPackets: 29906240, txPackets: 29906208, txDropped: 7 });
  t.same(parseForwarding(FORWARDING, 'all'), { rxPackets: 59812800, txPackets: 59812768, txDropped: 9 });
  t.throws(() => parseForwarding(FORWARDING, 1), /no forward statistics for port 1/);
});

t.test('heap', async (t) => {
  t.equal(
    parseHeapMb(
      'Socket 0: size(M) total: 64.0 alloc: 1.5(2%)\nTotal   : size(M) total: 64.0 alloc: 30.486389(47%) free: 33.5 \tcount alloc: 521  free: 1',
    ),
    30.486389,
  );
});
