import t from 'tap';
import { encodeSetForward } from '../../src/dpvs/bodies.js';
import { DIALECT_A, DIALECT_B, DIALECT_C, DIALECTS } from '../../src/dpvs/dialect.js';
import { encodeRequest, GET, SET } from '../../src/dpvs/message.js';

/** The six requests of dpvs.md 1.7: id at 4, flags at 0x4a. */
const RECORDED = [
  [DIALECT_C, true, '36000000', '4000'],
  [DIALECT_C, false, '36000000', '8000'],
  [DIALECT_B, true, '35000000', '4000'],
  [DIALECT_B, false, '35000000', '8000'],
  [DIALECT_A, true, 'f5010000', '1000'],
  [DIALECT_A, false, 'f5010000', '2000'],
] as const;

for (const [dialect, on, id, flags] of RECORDED) {
  const bytes = encodeRequest({ type: SET, id: dialect.setPort, body: encodeSetForward(dialect, 'dpdk0', on) });
  const expected = `00000100${id}010000000000000034000000000000006470646b30${'00'.repeat(27)}${'00'.repeat(18)}${flags}`;
  t.equal(bytes.toString('hex'), expected, `${dialect.name} ${on ? 'on' : 'off'}`);
}

t.equal(
  encodeRequest({ type: GET, id: DIALECT_C.get.portList, body: new Uint8Array(0) }).toString('hex'),
  `000001003c00000000000000${'00'.repeat(12)}`,
  'port list of C',
);

t.test('the flags of "set port" are those of forward2kni in that dialect, and single bits', async (t) => {
  t.same(
    DIALECTS.map(({ name, setForward2kni: { on, off }, portBasic }) => [name, on, off, portBasic.forward2kni]),
    [
      ['A', 0x10, 0x20, 0x2],
      ['B', 0x40, 0x80, 0x4],
      ['C', 0x40, 0x80, 0x4],
    ],
  );
  t.same(
    DIALECTS.map(({ setPort, get }) => [setPort, ...Object.values(get)]),
    [
      [501, 200, 500, 503, 504, 507, 1400],
      [53, 17, 56, 59, 60, 64, 98],
      [54, 17, 57, 60, 61, 65, 102],
    ],
  );
  const releases = DIALECTS.flatMap((dialect) => dialect.releases);
  t.equal(new Set(releases).size, releases.length, 'a release speaks one dialect');
});
