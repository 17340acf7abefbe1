import fc from 'fast-check';
import t from 'tap';
import { decodeReply, encodeRequest, GET, type Request, readText } from '../../src/dpvs/message.js';
import { header } from './helpers/fake-dpvs.js';

const request: Request = { type: GET, id: 61, body: Buffer.from('dpdk0\0') };
const good = header({ id: 61, type: GET }, 0, Buffer.from('body'));

t.same(decodeReply(good, request), { kind: 'reply', reply: { errcode: 0, errstr: 'OK', body: Buffer.from('body') } });
t.match(decodeReply(header({ id: 61, type: GET }, -4, Buffer.alloc(0)), request), {
  kind: 'reply',
  reply: { errcode: -4, errstr: 'not exist' },
});
for (let size = 0; size < good.length; size++) t.same(decodeReply(good.subarray(0, size), request).kind, 'partial');

const edited = (offset: number, value: number): Buffer => {
  const bytes = Buffer.from(good);
  bytes.writeUInt32LE(value, offset);
  return bytes;
};
const FOREIGN: [string, Buffer, RegExp][] = [
  ['another version', edited(0, 2), /another version/],
  ['another id', edited(4, 60), /is to request 60 instead of 61/],
  ['another type', edited(8, 1), /another type/],
  ['a body beside an error', edited(12, -1 >>> 0), /4 bytes beside error -1/],
  ['an absurd length', edited(84, 1), /announces 4294967300 bytes/],
  ['a length too short', edited(80, 3), /longer than the 3 bytes/],
  ['HTTP', Buffer.from(`HTTP/1.1 400 Bad Request\r\n${'x'.repeat(80)}`), /another version/],
];
for (const [name, bytes, why] of FOREIGN) t.match(decodeReply(bytes, request), { kind: 'foreign', why }, name);

t.test('whatever arrives is decoded or refused, never thrown over', async (t) => {
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => {
      decodeReply(Buffer.from(bytes), request);
    }),
  );
  t.pass();
});

t.equal(encodeRequest(request).length, 24 + 6);
t.equal(readText(Buffer.from('UP\0\xff')), 'UP', 'leftovers behind the NUL do not matter');
t.equal(readText(Buffer.from('UP')), undefined, 'no NUL');
t.equal(readText(Buffer.from('\x1b[2J\0')), undefined, 'a terminal must not be driven by an answer');
