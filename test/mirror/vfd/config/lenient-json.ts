import fc from 'fast-check';
import t from 'tap';
import { LenientJsonError, scanJson, toValue } from '../../../../src/mirror/vfd/config/lenient-json.js';

const read = (text: string): unknown => toValue(scanJson(text));

t.same(read('{ "a": 1, "b": [1, 2, ], "c": {"d": true,},, }'), { a: 1, b: [1, 2], c: { d: true } });
t.same(read('\n// note with "quotes" {\n{ /* , } */ "a": "// not a comment", # x\n "b": null }'), {
  a: '// not a comment',
  b: null,
});
t.same(read('{ "a": 15%, "b": "\\n" }'), { a: '15%', b: '\\n' }, 'bare words stay, strings are not unescaped');
t.same(read('{ "a": 1 "b": 2 }'), { a: 1, b: 2 }, 'as VFd takes it');
t.equal(Object.getPrototypeOf(read('{"__proto__": {"x": 1}}')), Object.prototype);
for (const bad of ['', '{', '{a: 1}', '{"a" 1}', '{"a": }', '{"a": "x}', '['.repeat(100), '{"a": 1', '[1']) {
  t.throws(() => read(bad), LenientJsonError, bad.slice(0, 20));
}
fc.assert(fc.property(fc.jsonValue(), (value) => JSON.stringify(value).includes('\\') || isSame(value)));
t.pass('what JSON.stringify writes is read as it was');

function isSame(value: unknown): boolean {
  return JSON.stringify(read(Buffer.from(JSON.stringify(value)).toString('latin1'))) === JSON.stringify(value);
}

t.test('fuzz: it reads or it throws its own error', async (t) => {
  const piece = fc.constantFrom(
    '{',
    '}',
    '[',
    ']',
    '"',
    ',',
    ':',
    '/*',
    '*/',
    '//',
    '#',
    '\n',
    '\\',
    ' ',
    'x',
    '1',
    '"mirror"',
  );
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 60 }), (parts) => {
      try {
        scanJson(parts.join(''));
        return true;
      } catch (error) {
        return error instanceof LenientJsonError;
      }
    }),
    { numRuns: 3000 },
  );
  t.pass('3000 texts');
});
