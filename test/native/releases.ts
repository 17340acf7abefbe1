import t from 'tap';
import { FORWARDING_RELEASE, lineOf } from '../../src/native/releases.js';

const release = (year: number, month: number, minor = 0): number =>
  ((year << 24) | (month << 16) | (minor << 8) | 99) >>> 0;

t.test('the ABI of each release', async (t) => {
  const abis = [
    [22, 7, undefined],
    [22, 11, 23],
    [23, 7, 23],
    [23, 11, 24],
    [24, 7, 24],
    [24, 11, 25],
    [25, 7, 25],
    [25, 11, 26],
    [26, 7, 26],
    [26, 11, undefined],
  ] as const;
  for (const [year, month, abi] of abis) t.equal(lineOf(release(year, month, 8))?.abi, abi, `${year}.${month}`);
});

t.test('a release forwards requests, or does not, with all minor versions', async (t) => {
  t.ok(release(25, 7, 9) < FORWARDING_RELEASE);
  t.ok(release(25, 11) > FORWARDING_RELEASE);
});
