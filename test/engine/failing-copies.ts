import t from 'tap';
import { FailingCopies } from '../../src/engine/capture-end.js';
import { lane } from './helpers/lane.js';

const ALL = 65_535;

/** What it says at each of these looks: mbufs that are free, copies made and failed since the start. */
function told(...looks: [free: number, accepted: bigint, nombuf: bigint][]): boolean[] {
  const copies = new FailingCopies();
  return looks.map(([mbufsFree, accepted, nombuf]) => {
    const text = copies.notice({ mbufs: ALL, mbufsFree, lanes: [lane({ accepted, nombuf }), lane()] });
    return text !== undefined;
  });
}

t.test('copies that fail although mbufs are free', async (t) => {
  t.same(told([ALL, 0n, 1n]), [true], 'from the start');
  t.same(told([ALL, 100n, 0n], [ALL, 200n, 22n], [ALL, 300n, 44n]), [false, true, false], 'told once');
  t.same(told([ALL, 1_000_000n, 0n], [ALL, 1_000_100n, 1n]), [false, true], 'on a lane that others come through');
});

t.test('copies that may have failed for want of mbufs', async (t) => {
  t.same(told([ALL, 100_000n, 5n]), [false], 'more copies than mbufs');
  t.same(told([2000, 5n, 0n], [0, 6n, 9n]), [false, false], 'few were free at the last look');
  t.same(told([ALL, 0n, 0n], [0, 8192n, 1n]), [false, false], 'long ones, of several mbufs');
});
