import t from 'tap';
import { momentText, parseMoment, spanText } from '../../src/text/moment.js';

const NOW = new Date(2026, 10, 30, 21, 4, 5).getTime();

t.test('points in time', async (t) => {
  t.equal(parseMoment('--since', '@1796072645.5', NOW), 1_796_072_645_500);
  t.equal(parseMoment('--since', '2026-11-30T21:04:05', NOW), NOW);
  t.equal(parseMoment('--since', '2026-11-30 21:04:05', NOW), NOW);
  t.equal(parseMoment('--since', '2026-11-30T00:00:00Z', NOW), Date.UTC(2026, 10, 30));
  t.equal(parseMoment('--since', '21:04', NOW), NOW - 5000);
  t.equal(parseMoment('--since', '21:04:05', NOW), NOW);
  t.equal(parseMoment('--since', '21:04:06', NOW), NOW + 1000 - 86_400_000, 'it was yesterday');
  for (const wrong of ['', 'noon', '25:00', '12:00:60', '2026-13-01', '@', '30s']) {
    t.throws(() => parseMoment('--since', wrong, NOW), {
      code: 'ERR_USAGE',
      message: /--since: .* is no point in time/,
    });
  }
});

t.test('for people', async (t) => {
  t.equal(momentText(BigInt(NOW) * 1_000_000n + 7_000n), '2026-11-30 21:04:05.000007');
  t.equal(spanText(30_440_000_000n), '30.4 s');
  t.equal(spanText(1_500_000n), '0.002 s');
});
