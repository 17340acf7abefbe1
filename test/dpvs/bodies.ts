import fc from 'fast-check';
import t from 'tap';
import {
  encodePortName,
  encodeSetForward,
  parseBondSlaves,
  parseKniLcore,
  parsePortBasic,
  parsePortList,
} from '../../src/dpvs/bodies.js';
import { DIALECT_A, DIALECT_C, DIALECTS } from '../../src/dpvs/dialect.js';

const name = fc.stringMatching(/^[\x21-\x7e]{1,31}$/);

t.test('a SET holds a name and one bit, whatever is asked for', async (t) => {
  const BITS = { A: { on: 0x10, off: 0x20 }, B: { on: 0x40, off: 0x80 }, C: { on: 0x40, off: 0x80 } };
  fc.assert(
    fc.property(fc.constantFrom(...DIALECTS), name, fc.boolean(), (dialect, port, on) => {
      const body = encodeSetForward(dialect, port, on);
      const expected = Buffer.alloc(52);
      expected.write(port, 'latin1');
      expected.writeUInt16LE(BITS[dialect.name][on ? 'on' : 'off'], 50);
      return body.equals(expected) && body.subarray(32, 50).every((byte) => byte === 0);
    }),
  );
  t.pass();
});

t.test('names that do not fit are refused, not cut', async (t) => {
  for (const bad of ['', 'a b', 'a\0b', 'x'.repeat(32), 'dpdk\n', 'dpdké']) {
    t.throws(() => encodePortName(bad), { code: 'ERR_PORT_UNKNOWN' }, JSON.stringify(bad));
    t.throws(() => encodeSetForward(DIALECT_C, bad, true), { code: 'ERR_PORT_UNKNOWN' });
  }
  t.equal(encodePortName('x'.repeat(31)).length, 32);
});

t.test('the port list of dpvs.md 1.7', async (t) => {
  const one = Buffer.from(`010000000100ffffffff00006470646b30${'00'.repeat(11)}`, 'hex');
  t.same(parsePortList(one), [{ id: 0, name: 'dpdk0', kind: 'physical' }]);
  t.equal(parsePortList(one.subarray(0, 27)), undefined, 'cut');
  t.equal(parsePortList(Buffer.concat([one, Buffer.alloc(1)])), undefined, 'too long');
  const two = Buffer.from(one);
  two.writeUInt16LE(2, 0);
  t.equal(parsePortList(two), undefined, 'its count says otherwise');
  t.same(parsePortList(Buffer.from('0000000000000000ffff', 'hex')), [], 'none');
});

t.test('kinds go by range', async (t) => {
  const head = Buffer.from('030000000100010002000', 'hex');
  const entry = (id: number, text: string): Buffer => {
    const bytes = Buffer.alloc(18);
    bytes.writeUInt16LE(id);
    bytes.write(text, 2);
    return bytes;
  };
  const list = Buffer.concat([head, entry(0, 'dpdk0'), entry(1, 'bond0'), entry(2, 'sixteen_letters_')]);
  t.same(parsePortList(list), [
    { id: 0, name: 'dpdk0', kind: 'physical' },
    { id: 1, name: 'bond0', kind: 'bond' },
    { id: 2, name: 'sixteen_letters_', kind: 'virtual' },
  ]);
});

t.test('port basic of dpvs.md 1.7', async (t) => {
  const c = Buffer.alloc(128);
  c.write('dpdk0', 0);
  c.write('AA:BB:CC:00:00:01', 32);
  c.write('UP', 64);
  c.write('dc05e407', 124, 'hex');
  t.match(parsePortBasic(c, DIALECT_C), { name: 'dpdk0', mac: 'aa:bb:cc:00:00:01', mtu: 1500, forward2kni: true });
  c.write('e007', 126, 'hex');
  t.match(parsePortBasic(c, DIALECT_C), { forward2kni: false, flags: 0x07e0, link: 'up' });
  t.equal(parsePortBasic(c, DIALECT_A), undefined, "not with A's offsets");
  const a = Buffer.alloc(128);
  a.write('dpdk0', 2);
  a.write('DOWN', 76);
  a.write('f2000000', 124, 'hex');
  t.match(parsePortBasic(a, DIALECT_A), { name: 'dpdk0', forward2kni: true, link: 'down' });
  t.equal(parsePortBasic(a, DIALECT_C), undefined, "not with C's offsets");
  t.equal(parsePortBasic(a.subarray(0, 127), DIALECT_A), undefined);
});

t.test('slaves and lcores', async (t) => {
  const bond = Buffer.alloc(2392);
  bond.writeInt32LE(2, 4);
  bond.write('dpdk1', 12);
  bond.write('dpdk2', 12 + 72);
  t.same(parseBondSlaves(bond), ['dpdk1', 'dpdk2']);
  for (const count of [34, -1, 3]) {
    bond.writeInt32LE(count, 4);
    t.equal(parseBondSlaves(bond), undefined, `${count} slaves`);
  }
  t.equal(parseBondSlaves(Buffer.alloc(12)), undefined);
  t.equal(parseKniLcore(Buffer.concat([Buffer.from([1, 7]), Buffer.alloc(22)])), 7);
  t.equal(parseKniLcore(Buffer.alloc(8)), undefined);
});
