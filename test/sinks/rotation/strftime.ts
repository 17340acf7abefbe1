/** Conversions of strftime(3), against the one of date(1). */
import { execFileSync } from 'node:child_process';
import t from 'tap';
import { checkTimeFormat, strftime } from '../../../src/sinks/rotation/strftime.js';

const LETTERS = ['Y', 'C', 'y', 'm', 'd', 'e', 'j', 'H', 'I', 'p', 'M', 'S', 's', 'F', 'T', 'R', 'a', 'A', 'u', 'w'];
const FORMAT = [...LETTERS, 'b', 'h', 'B', 'U', 'W', 'z', '%'].map((letter) => `%${letter}`).join('|');

t.test('every conversion says what date says', async (t) => {
  const times = ['2026-01-01T00:00:00', '2026-07-05T12:30:59', '2024-12-31T23:59:59', '2026-11-29T04:09:32'];
  for (const time of times) {
    const at = new Date(time);
    const said = execFileSync('date', ['-d', `@${at.getTime() / 1000}`, `+${FORMAT}`], {
      encoding: 'utf8',
      env: { ...process.env, LC_ALL: 'C' },
    });
    t.equal(strftime(FORMAT, at), said.slice(0, -1), time);
  }
});

t.test('what is not known is refused, and so is what would make a path', async (t) => {
  for (const format of ['%Q', 'a%', '%D', '%n', '%-d', '%toString'])
    t.throws(() => checkTimeFormat('-w', format), { code: 'ERR_USAGE', message: /is not known/ }, format);
  checkTimeFormat('-w', 'x%%-%Y.pcap');
  t.equal(strftime('x%%Y', new Date()), 'x%Y');
});
