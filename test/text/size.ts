import t from 'tap';
import { parseSize, roundedSize, sizeText } from '../../src/text/size.js';

const RANGE = { min: 4096, max: 2 ** 40 };

t.test('amounts of memory', async (t) => {
  t.equal(parseSize('--memory', '4096', RANGE), 4096);
  t.equal(parseSize('--memory', '256M', RANGE), 256 * 2 ** 20);
  t.equal(parseSize('--memory', '2G', RANGE), 2 ** 31);
  for (const wrong of ['', '1', '1.5G', '2T', '-1', '2000G', 'M']) {
    t.throws(() => parseSize('--memory', wrong, RANGE), { code: 'ERR_USAGE', message: /from 4K to 1024G/ });
  }
  t.equal(sizeText(1500), '1500');
  t.equal(sizeText(3 * 2 ** 20), '3M');
  t.equal(roundedSize(2 ** 28 + 2 ** 18), '256.3 MiB');
  t.equal(roundedSize(3 * 2 ** 30), '3.0 GiB');
});
