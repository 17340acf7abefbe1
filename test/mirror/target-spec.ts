import t from 'tap';
import { UsageError } from '../../src/errors.js';
import { parseDirection, parseMirrorSpec, parseSelector, parseSource } from '../../src/mirror/target-spec.js';

t.same(parseSelector('--vf', '3'), { kind: 'number', number: 3 });
t.same(parseSelector('--vf', '08:10.1'), { kind: 'pci', address: '0000:08:10.1' });
t.same(parseSelector('--vf', '0000:AF:1f.7'), { kind: 'pci', address: '0000:af:1f.7' });
t.same(parseSelector('--vf', 'guest_a'), { kind: 'name', name: 'guest_a' });
for (const bad of ['254', '-1', '', 'a b', '../x', 'a"b', 'a\\b', 'a\n', '08:40.9']) {
  t.throws(() => parseSelector('--vf', bad), UsageError, JSON.stringify(bad));
}

t.equal(parseDirection('in'), 'in');
for (const bad of ['off', 'on', 'IN', 'both', 'o', '', 'out ', 'rx']) {
  t.throws(() => parseDirection(bad), /unknown direction/, `${bad} would silently mean off or something else`);
}

t.throws(() => parseSource(undefined, '1'), /on which PF/);
t.same(parseSource(undefined, 'guest_a').pf, undefined);

t.same(parseMirrorSpec('pf=0,vf=1,direction=in,target=3'), {
  source: { pf: { kind: 'number', number: 0 }, vf: { kind: 'number', number: 1 } },
  direction: 'in',
  target: { kind: 'number', number: 3 },
});
t.equal(parseMirrorSpec('vf=guest_a,target=debug').direction, 'all');
for (const bad of [
  '',
  'vf=1',
  'pf=0,vf=1,target',
  'pf=0,vf=1,vf=2,target=3',
  'pf=0,vf=1,target=3,x=1',
  'pf=0,target=3',
]) {
  t.throws(() => parseMirrorSpec(bad), UsageError, bad);
}
