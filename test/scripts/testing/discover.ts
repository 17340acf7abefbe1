import t from 'tap';
import { discoverTests } from '../../../scripts/testing/discover.js';

t.test('finds test files by their sources', async (t) => {
  const root = t.testdir({
    test: {
      'b.ts': '',
      'a.ts': '',
      'notes.md': '',
      'types.d.ts': '',
      helpers: { 'h.ts': '' },
      commands: { 'list.ts': '' },
      live: { 'capture.ts': '', helpers: { 'testpmd.ts': '' }, fixtures: { 'x.ts': '' } },
    },
    dist: { test: { 'deleted.js': '' } },
  });
  t.same(discoverTests(root), { unit: ['test/a', 'test/b', 'test/commands/list'], live: ['test/live/capture'] });
  t.same(discoverTests(root, ['live/capture']), { unit: [], live: ['test/live/capture'] });
  t.same(discoverTests(root, ['./test/a.ts', 'list']), { unit: ['test/a', 'test/commands/list'], live: [] });
  t.same(discoverTests(root, ['nothing']), { unit: [], live: [] });
});

t.test('those that build native tests go first', async (t) => {
  const root = t.testdir({
    test: { 'a.ts': '', 'native-fuzz.ts': '', 'native.ts': '', native: { 'host.ts': '' } },
  });
  const unit = ['test/native', 'test/native-fuzz', 'test/a', 'test/native/host'];
  t.same(discoverTests(root), { unit, live: [] });
});
