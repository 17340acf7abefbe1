import fc from 'fast-check';
import t from 'tap';
import { parseConfig, versionFromNumber, versionFromText } from '../../src/primary/config-file.js';
import { configBytes } from './helpers/fake-host.js';

t.same(parseConfig(configBytes()), { initialised: true, version: { number: 0x160b0b63, text: '22.11.11' } });
t.equal(parseConfig(configBytes(0x160b0b63, 0)).initialised, false, 'the magic is written last');
t.equal(parseConfig(configBytes(0)).version, undefined, 'no version yet');
t.equal(versionFromNumber(0x15_0b_00_63)?.text, '21.11.0');
t.equal(versionFromNumber(0x1a_07_00_02)?.text, '26.07.0-rc2');

t.test('a text gives the number back', async (t) => {
  const releases = fc.tuple(fc.integer({ min: 16, max: 99 }), fc.integer({ min: 1, max: 12 }), fc.nat(255), fc.nat(99));
  fc.assert(
    fc.property(releases, ([year, month, minor, release]) => {
      const number = ((year << 24) | (month << 16) | (minor << 8) | release) >>> 0;
      const version = versionFromNumber(number);
      return versionFromText(`DPDK ${version?.text}`)?.number === number;
    }),
  );
  t.pass('for every release');
});

t.test('any bytes and any text are read without a throw', async (t) => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 40 }), (bytes) => {
      const head = parseConfig(bytes);
      return bytes.length >= 8 || (head.version === undefined && !head.initialised);
    }),
  );
  fc.assert(fc.property(fc.string(), (text) => versionFromText(text) === undefined || /\d\d\.\d\d\.\d/.test(text)));
  t.pass('short ones say nothing');
});
