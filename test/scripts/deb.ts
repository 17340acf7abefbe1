/** What dpkg runs after dpcap's package was taken off (scripts/deb-postrm.sh). */
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { projectFile } from '../../src/system/location.js';

const ENTRY = JSON.stringify({ kind: 'vfd-mirror', subject: 'VF 1 of PF 0', pid: 7 });

/** Runs it as dpkg does, in a system with this journal. */
function after(t: Test, action: string, journal: Record<string, string>) {
  const root = t.testdir({ var: { lib: { dpcap: { journal } } } });
  const { status, stderr } = spawnSync(projectFile('scripts/deb-postrm.sh'), [action], {
    encoding: 'utf8',
    env: { ...process.env, DPKG_ROOT: root },
  });
  return { status, stderr, isLeft: existsSync(join(root, 'var/lib/dpcap')) };
}

t.test('what was not undone stays known when the package is removed', async (t) => {
  t.match(after(t, 'remove', { '7-ab.json': ENTRY }), {
    status: 0,
    isLeft: true,
    stderr: /not undone yet .*dpcap recover\):\n {2}VF 1 of PF 0\n$/,
  });
  t.same(after(t, 'remove', {}), { status: 0, isLeft: true, stderr: '' });
});

t.test('and is said once more when it is purged, which leaves nothing', async (t) => {
  t.match(after(t, 'purge', { '7-ab.json': ENTRY }), {
    status: 0,
    isLeft: false,
    stderr: /never undone, .* forgotten now:\n {2}VF 1 of PF 0\n$/,
  });
  t.same(after(t, 'purge', {}), { status: 0, isLeft: false, stderr: '' });
});

t.test('an upgrade touches nothing', async (t) => {
  t.same(after(t, 'upgrade', { '7-ab.json': ENTRY }), { status: 0, isLeft: true, stderr: '' });
});
