/** The floor plan's lint finds what it is there for. */
import { spawnSync } from 'node:child_process';
import t, { type Test } from 'tap';
import { projectFile } from '../../src/system/location.js';

interface Tree {
  [name: string]: string | Tree;
}

const SOUND = {
  'README.md': '| row | `src/text/a.ts` |\n',
  docs: { 'errors.md': 'ERR_ONE' },
  src: { 'errors.ts': "'ERR_ONE'", text: { 'a.ts': '' } },
  test: {},
  scripts: {},
  bench: {},
  native: {
    base: {},
    record: {},
    sink: {},
    capture: {},
    mbuf: {},
    filter: {},
    host: {},
    primary: {},
    pdump: { 'lane.h': '#include <rte_ring.h>\n' },
    inject: {},
    codec: {},
    reader: { format: {}, input: {} },
    tunnel: {},
    mirror: {},
    recorder: {},
    ebpf: { kernel: {} },
    agent: { library: { 'lane.c': '#include <rte_mbuf.h>\n' } },
  },
};

/** What lint says about a tree. */
function lint(t: Test, change: Tree): string {
  const cwd = t.testdir({ ...SOUND, ...change });
  const { status, stderr } = spawnSync('node', [projectFile('scripts/lint-house.mjs')], { cwd, encoding: 'utf8' });
  t.equal(status, stderr === '' ? 0 : 1);
  return stderr;
}

t.test('a sound house', async (t) => {
  t.equal(lint(t, {}), '');
});

t.test('who imports whom', async (t) => {
  const said = lint(t, {
    src: {
      ...SOUND.src,
      engine: { 'a.ts': "import { x } from '../cli/b.js';\n" },
      cli: { 'b.ts': "import { y } from '../text/a.js';\n", commands: { 'c.ts': "import './d.js';", 'd.ts': '' } },
      text: { 'a.ts': "import { y } from './b.js';\n", 'b.ts': "import { y } from './a.js';\n" },
    },
  });
  t.match(said, /src\/engine\/a\.ts imports src\/cli\/b\.ts/);
  t.match(said, /a circle of imports: text\/a\.ts -> text\/b\.ts -> text\/a\.ts/);
});

t.test('what the oldest node does not have', async (t) => {
  const said = lint(t, {
    src: { ...SOUND.src, text: { 'a.ts': 'export const b = (a: number[]) => a.with(0, 1);\n' } },
  });
  t.match(said, /src\/text\/a\.ts calls with\(\), which/);
});

t.test('only pdump/ knows DPDK among what captures', async (t) => {
  const native = {
    ...SOUND.native,
    sink: { 'a.cc': '#include <rte_mbuf.h>\n' },
    capture: { 'b.h': '#include "pdump/lane.h"\n' },
  };
  const agent = { 'b.cc': '#include <rte_mbuf.h>\n', library: { 'c.c': '#include "pdump/lane.h"\n' } };
  const said = lint(t, { native: { ...native, agent } });
  t.match(said, /native\/agent\/b\.cc includes rte_mbuf\.h/);
  t.match(said, /native\/agent\/library\/c\.c includes pdump\/lane\.h/);
  t.match(said, /native\/sink\/a\.cc includes rte_mbuf\.h/);
  t.match(said, /native\/capture\/b\.h includes pdump\/lane\.h/);
});

t.test('full folders, long files, files that are not there, codes that nobody tells of', async (t) => {
  const many = Object.fromEntries(Array.from({ length: 16 }, (_, at) => [`${at}.ts`, '']));
  t.match(lint(t, { src: { ...SOUND.src, many } }), /src\/many holds 16 files/);
  t.match(
    lint(t, { native: { ...SOUND.native, base: { 'long.cc': '\n'.repeat(301) } } }),
    /native\/base\/long\.cc has 301 lines/,
  );
  t.match(lint(t, { 'README.md': '| row | `src/b.ts` |\n' }), /README\.md names src\/b\.ts/);
  const said = lint(t, { src: { ...SOUND.src, 'errors.ts': "'ERR_TWO'" } });
  t.match(said, /does not tell of ERR_TWO/);
  t.match(said, /tells of ERR_ONE/);
});

t.test('tests that comments cite', async (t) => {
  const said = lint(t, {
    native: { ...SOUND.native, primary: { 'release.h': '// test/live/gone.ts, test/live/here.ts.\n' } },
    test: { live: { 'here.ts': '' } },
  });
  t.match(said, /native\/primary\/release\.h names test\/live\/gone\.ts, which is not there/);
  t.notMatch(said, /here\.ts/);
});
