import t from 'tap';
import { parseExtended, parseMirrors, parseStats } from '../../../../src/mirror/vfd/protocol/tables.js';
import { FakeVfdState } from '../../helpers/fake-vfd-state.js';

t.test('show all, as the daemon prints it', async (t) => {
  const vfd = new FakeVfdState(t.testdir());
  vfd.manage(0, 3, 'b');
  vfd.manage(0, 1, 'a');
  const rows = parseStats(vfd.statsLines(false));
  t.match(rows, [
    {
      kind: 'pf',
      pf: 0,
      id: 0,
      pci: '0000:08:00.0',
      link: 'UP',
      columns: { Speed: '10000', Duplex: '1', 'RX pkts': '1' },
    },
    { kind: 'vf', pf: 0, id: 1, pci: '0000:08:10.2', link: 'UP' },
    { kind: 'vf', pf: 0, id: 3, pci: '0000:08:10.6' },
  ]);
  t.same(rows[1]?.columns, {
    'RX pkts': '9',
    'RX bytes': '2',
    'RX errors': '3',
    'RX dropped': '4',
    'TX pkts': '5',
    'TX bytes': '6',
    'TX errors': '7',
    Spoofed: '8',
  });
});

t.test('unknown columns are kept, with or without a heading', async (t) => {
  const lines = [
    'PF/VF  ID PCIID Link Speed Duplex RX pkts Novelty',
    'pf 0 0000:08:00.0 UP 1 2 3 4 5',
    'vf 1 0000:08:10.1 DOWN 18446744073709551615 7',
    'what is this',
  ];
  const [pf, vf, ...rest] = parseStats(lines);
  t.same(pf?.columns, { Speed: '1', Duplex: '2', 'RX pkts': '3', Novelty: '4', 'column 9': '5' });
  t.same(vf?.columns, { 'RX pkts': '18446744073709551615', Novelty: '7' });
  t.same(rest, []);
  t.same(parseStats(['vf 1 0000:08:10.1 UP 1']), [], 'a VF without PF belongs to nothing');
  t.same(parseStats([]), []);
});

t.test('show mirrors', async (t) => {
  const text = ['port 0 has 2 mirrors:', '  vf 1 (in) ==> vf 3', '  vf 2 (all) ==> vf 3', 'port 1 has 0 mirrors:'];
  t.same(parseMirrors(text), {
    mirrors: [
      { pf: 0, vf: 1, direction: 'in', target: 3 },
      { pf: 0, vf: 2, direction: 'all', target: 3 },
    ],
    isComplete: true,
  });
  t.equal(parseMirrors([...text, '<truncated>']).isComplete, false);
  t.equal(parseMirrors(['port 0 has 1 mirrors:', '  vf 1 (sideways) ==> vf 3']).isComplete, false);
  t.same(parseMirrors(['  vf 1 (in) ==> vf 3']), { mirrors: [], isComplete: false });
});

t.same(parseExtended(['port 0:', 'rx_size_64_packets: 5', 'port 1:', 'tx_size_64_packets: 7']), [
  { pf: 0, counters: { rx_size_64_packets: '5' } },
  { pf: 1, counters: { tx_size_64_packets: '7' } },
]);
