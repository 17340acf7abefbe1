import t from 'tap';
import type { FilterProgram } from '../../src/filter/compile.js';
import { devicesOf, environmentWords, recorderOrder } from '../../src/recorder/request.js';

const ALL = { memory: 64 * 2 ** 20, snaplen: 96, directions: ['rx', 'tx'] as const, filter: undefined };
const PORTS = [
  { id: 0, name: 'net_tap0', rxQueues: 1, txQueues: 1 },
  { id: 3, name: '0000:01:00.0', rxQueues: 2, txQueues: 2 },
];
const udp = {
  expression: 'udp, or not',
  extended: Buffer.from('9500000000000000', 'hex'),
  extendedTx: Buffer.from('95000000000000009500000000000000', 'hex'),
} as unknown as FilterProgram;

t.test('ports are named as the application names its devices', async (t) => {
  t.same(devicesOf([], PORTS), [], 'all, also those that come later');
  t.same(devicesOf(['0', 'any'], PORTS), []);
  t.same(devicesOf(['3', 'net_tap0'], PORTS), ['0000:01:00.0', 'net_tap0']);
  t.throws(() => devicesOf(['1'], PORTS), { code: 'ERR_PORT_UNKNOWN' });
});

t.test('the words of an environment', async (t) => {
  t.equal(environmentWords(recorderOrder(ALL, [])), 'memory=64M,snaplen=96');
  const order = recorderOrder({ ...ALL, memory: 5_000_000, directions: ['tx'], filter: udp }, [
    'net_tap0',
    '0000:01:00.0',
  ]);
  t.equal(
    environmentWords(order),
    'memory=5000000,snaplen=96,directions=tx,ports=net_tap0+0000:01:00.0,program=9500000000000000,' +
      'program-tx=95000000000000009500000000000000,filter=udp, or not',
  );
  t.throws(() => environmentWords(recorderOrder(ALL, ['a,b'])), { code: 'ERR_USAGE', message: /a,b/ });
});

t.test('a filter that is too long for a box is shortened there, not in the program', async (t) => {
  const order = recorderOrder({ ...ALL, filter: { ...udp, expression: 'x'.repeat(2000) } }, []);
  t.match(order.filter, /^x{1020}\.\.\.$/);
  t.equal(order.program, udp.extended);
  for (const first of ['', 'x', 'xx']) {
    const { filter } = recorderOrder({ ...ALL, filter: { ...udp, expression: `${first}${'\u20ac'.repeat(500)}` } }, []);
    t.match(filter, /^x{0,2}\u20ac{339,340}\.\.\.$/, 'whole characters');
    t.ok(Buffer.byteLength(filter) <= 1023);
  }
});
