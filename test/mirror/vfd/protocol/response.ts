import fc from 'fast-check';
import t from 'tap';
import { isComplete, parseAnswer, printable } from '../../../../src/mirror/vfd/protocol/response.js';

const answer = (lines: string[], state = 'OK', id = 'x-1'): Buffer => {
  const body = lines.map((line, i) => `${i === 0 ? '' : ','}\n"${line}"`).join('');
  return Buffer.from(`{ "action": "response", "vfd_rid": "${id}", "state": "${state}", "msg": [${body} ] }\n@eom@\n`);
};

t.test('worked exchanges', async (t) => {
  t.same(parseAnswer(answer(['pong: v2'])), { kind: 'answer', ok: true, id: 'x-1', lines: ['pong: v2'] });
  t.same(parseAnswer(answer([], 'ERROR', 'not-supplied')), { kind: 'answer', ok: false, id: undefined, lines: [] });
  t.same(parseAnswer(answer(['port 0 has 1 mirrors:', '  vf 1 (in) ==> vf 3'])), {
    kind: 'answer',
    ok: true,
    id: 'x-1',
    lines: ['port 0 has 1 mirrors:', '  vf 1 (in) ==> vf 3'],
  });
});

t.test('texts are not escaped: quotes, backslashes and brackets come as they are', async (t) => {
  const lines = ['a "quoted" word', 'back\\slash', 'ends with "', ' ] }', '",', '{ "state": "OK" }'];
  t.same(parseAnswer(answer(lines)), { kind: 'answer', ok: true, id: 'x-1', lines });
});

t.test('an older VFd that has no request id', async (t) => {
  const text = '{ "action": "response", "state": "OK", "msg": [\n"x" ] }\n@eom@\n';
  t.match(parseAnswer(Buffer.from(text)), { kind: 'answer', id: undefined, lines: ['x'] });
});

t.test('cut and rubbish are told apart', async (t) => {
  const whole = answer(['one', 'two']);
  for (let length = 0; length < whole.length; length++) {
    t.equal(parseAnswer(whole.subarray(0, length)).kind, 'cut', `${length} bytes`);
    t.equal(isComplete(whole.subarray(0, length)), false);
  }
  t.equal(isComplete(whole), true);
  for (const text of [
    'hello\n@eom@\n',
    '{}\n@eom@\n',
    '@eom@\n',
    '{ "action": "response", "state": "OK", "msg": [\n"x\n@eom@\n',
  ]) {
    t.equal(parseAnswer(Buffer.from(text)).kind, 'rubbish', text);
  }
  t.equal(parseAnswer(answer(['x'], 'MAYBE')).kind, 'rubbish', 'a state that is none');
});

t.test('any lines come back, any bytes do no harm', async (t) => {
  const line = fc.string().filter((text) => !/[\n\r\0]/.test(text) && text !== '');
  fc.assert(
    fc.property(fc.array(line, { maxLength: 8 }), (lines) => {
      const parsed = parseAnswer(answer(lines));
      return parsed.kind === 'answer' && JSON.stringify(parsed.lines) === JSON.stringify(lines);
    }),
  );
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 300 }), (bytes) => parseAnswer(Buffer.from(bytes)).kind !== 'answer'),
  );
  t.equal(printable('a\x1b[31m\nb'), 'a [31m b');
  t.equal(printable('x'.repeat(400)).length, 303);
});
