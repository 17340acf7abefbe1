import fc from 'fast-check';
import t from 'tap';
import { DpcapError } from '../../../../src/errors.js';
import { editMirror, memberValue } from '../../../../src/mirror/vfd/config/config-editor.js';
import { scanJson, toValue } from '../../../../src/mirror/vfd/config/lenient-json.js';

const MIRROR = { target: 3, direction: 'all' as const };
const VALUE = memberValue(MIRROR);

t.test('by example', async (t) => {
  t.equal(editMirror('{ "a": 1 }', MIRROR), `{ "a": 1, "mirror": ${VALUE} }`);
  t.equal(editMirror('{\n\t"a": 1,\n\t"b": 2\n}\n', MIRROR), `{\n\t"a": 1,\n\t"b": 2,\n\t"mirror": ${VALUE}\n}\n`);
  t.equal(
    editMirror('{\r\n "a": 1,\r\n}', MIRROR),
    `{\r\n "a": 1,\r\n "mirror": ${VALUE}\r\n}`,
    'a trailing comma separates',
  );
  t.equal(editMirror('{}', MIRROR), `{ "mirror": ${VALUE} }`);
  t.equal(editMirror('{"mirror":{"target":1},"z":1}', MIRROR), `{"mirror":${VALUE},"z":1}`);
  t.equal(editMirror('{ "a": 1 // x }\n}', MIRROR), `{ "a": 1, "mirror": ${VALUE} // x }\n}`);
  t.equal(editMirror('{ "a": "\\"mirror\\": {}" }', MIRROR), `{ "a": "\\"mirror\\": {}", "mirror": ${VALUE} }`);
  t.equal(
    editMirror('{ "a": {"mirror": 1} }', MIRROR),
    `{ "a": {"mirror": 1}, "mirror": ${VALUE} }`,
    'not a nested one',
  );
  t.equal(editMirror('{ "a": 1, "mirror": {} }', undefined), '{ "a": 1 }');
  t.equal(editMirror('{ "mirror": {}, "a": 1 }', undefined), '{ "a": 1 }');
  t.equal(editMirror('{ "a": 1 }', undefined), '{ "a": 1 }');
});

t.test('taken out, no line of it stays', async (t) => {
  for (const text of ['{\n  "a": 1,\n  "b": 2\n}\n', '{\r\n\t"a": 1\r\n}', '{ "a": 1 }', '{ "a": 1 // x }\n}']) {
    t.equal(editMirror(editMirror(text, MIRROR), undefined), text, JSON.stringify(text));
  }
  const out = (text: string): string => editMirror(text, undefined);
  t.equal(out('{\n "a": 1,\n "mirror": {},\n "b": 2\n}'), '{\n "a": 1,\n "b": 2\n}', 'from the middle');
  t.equal(out('{\n "mirror": {},\n "a": 1\n}'), '{\n "a": 1\n}', 'the first');
  t.equal(out('{\n "a": 1, // note\n "mirror": {}\n}'), '{\n "a": 1 // note\n}', 'behind a comment');
  t.match(out('{\n "a": 1, // note\n "mirror": {} }'), /note\n *\}/, 'what ends a comment stays');
  t.match(out('{\n "mirror": {}, // why\n "a": 1\n}'), /^\{\n *\/\/ why\n "a"/, 'a comment of its own stays a line');
});

t.test('what is not clear is refused', async (t) => {
  for (const bad of ['', '[]', '{"a"}', '{"mirror": 1, "mirror": 2}', 'x', '{"mirror": ']) {
    t.throws(() => editMirror(bad, MIRROR), { code: 'ERR_MIRROR_UNSAFE' }, bad);
  }
});

/** Files as people write them: members in any order, odd blanks, comments, texts that look like JSON, trailing commas. */
const blank = fc.constantFrom(
  '',
  ' ',
  '\n',
  '\t',
  '\r\n  ',
  ' // note: "mirror": { ,\n',
  '\n/* , } "mirror" */ ',
  ' # x }\n',
);
const text = fc.constantFrom(
  '"x"',
  '"// no comment"',
  '"a \\" , } { quote"',
  '"\\"mirror\\": 1"',
  '"/* */"',
  '"\\\\"',
  '"gr\u00fc\u00df"',
);
const word = fc.oneof(
  text,
  fc.constantFrom('1', '-1.5', 'true', 'null', '15%', '{ "mirror": { "target": 9, }, }', '[ 1, "]", { "a": "}" }, ]'),
);
const key = fc.constantFrom('name', 'pciid', 'vfid', 'vlans', 'queues', 'mirrors', 'Mirror', 'comment');
const member = fc
  .tuple(blank, key, blank, blank, word, blank)
  .map(([a, k, b, c, v, d]) => ({ head: `${a}"${k}"${b}:${c}`, value: v, tail: d }));
const mirrorMember = fc
  .tuple(blank, blank, word, blank)
  .map(([a, b, v, d]) => ({ head: `${a}"mirror"${b}:`, value: v, tail: d }));

interface Part {
  head: string;
  value: string;
  tail: string;
}

interface Generated {
  before: string;
  value: string;
  after: string;
}

/** With the place of the mirror's value, when there is one. */
const withMirror: fc.Arbitrary<Generated> = fc
  .tuple(
    blank,
    fc.array(member, { maxLength: 5 }),
    mirrorMember,
    fc.array(member, { maxLength: 5 }),
    fc.boolean(),
    blank,
  )
  .map(([start, left, mirror, right, comma, end]) => {
    const join = (parts: Part[]): string => parts.map(({ head, value, tail }) => `${head}${value}${tail}`).join(',');
    const tail = `${mirror.tail}${right.length > 0 ? `,${join(right)}` : ''}${comma ? ',' : ''}${end}}${end}`;
    return {
      before: `${start}{${left.length > 0 ? `${join(left)},` : ''}${mirror.head}`,
      value: mirror.value,
      after: tail,
    };
  });

const withoutMirror = fc
  .tuple(blank, fc.array(member, { maxLength: 6 }), fc.boolean(), blank)
  .map(([start, parts, comma, end]) => {
    const body = parts.map(({ head, value, tail }) => `${head}${value}${tail}`).join(',');
    return `${start}{${body}${comma && parts.length > 0 ? ',' : ''}${end}}${end}`;
  });

t.test('changing: every byte outside of the value stays', async (t) => {
  const files = fc.sample(withMirror, 50);
  t.equal(files.length, 50);
  for (const { before, value, after } of files) {
    t.equal(editMirror(before + value + after, MIRROR), before + VALUE + after);
  }
});

t.test('adding: what was there is there, in one piece before and one after', async (t) => {
  for (const file of fc.sample(withoutMirror, 50)) {
    const edited = editMirror(file, MIRROR);
    const at = edited.lastIndexOf(`"mirror": ${VALUE}`);
    const end = at + `"mirror": ${VALUE}`.length;
    let head = 0;
    while (head < file.length && file[head] === edited[head]) head++;
    const inserted = edited.length - file.length;
    t.ok(
      at >= 0 && edited.slice(0, head) + edited.slice(head + inserted) === file,
      `inserted only: ${JSON.stringify(file)}`,
    );
    t.match(edited.slice(at, end), VALUE);
    t.match(toValue(scanJson(edited)), { mirror: MIRROR });
    t.same(
      { ...(toValue(scanJson(edited)) as object), mirror: 0 },
      { ...(toValue(scanJson(file)) as object), mirror: 0 },
    );
  }
});

t.test('taking out: the others read as before', async (t) => {
  for (const { before, value, after } of fc.sample(withMirror, 50)) {
    const edited = editMirror(before + value + after, undefined);
    const { mirror: _, ...others } = toValue(scanJson(before + value + after)) as Record<string, unknown>;
    t.same(toValue(scanJson(edited)), others);
  }
});

t.test('fuzz: edited and read as meant, or refused', async (t) => {
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
    '\n',
    '\\',
    ' ',
    '1',
    '"mirror"',
    '"a": 1',
  );
  const noise = fc.array(piece, { maxLength: 40 }).map((parts) => parts.join(''));
  const damaged = fc.tuple(withoutMirror, fc.nat(), noise).map(([file, at, junk]) => {
    const place = at % (file.length + 1);
    return file.slice(0, place) + junk + file.slice(place);
  });
  fc.assert(
    fc.property(fc.oneof(noise, damaged), (file) => {
      try {
        const value = toValue(scanJson(editMirror(file, MIRROR))) as { mirror: typeof MIRROR };
        return value.mirror.target === 3 && value.mirror.direction === 'all';
      } catch (error) {
        return error instanceof DpcapError && error.code === 'ERR_MIRROR_UNSAFE';
      }
    }),
    { numRuns: 3000 },
  );
  t.pass('3000 files');
});
