import { spawnSync } from 'node:child_process';
import { chmodSync, symlinkSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t, { type Test } from 'tap';

const SETUP = fileURLToPath(new URL('../../../scripts/setup.sh', import.meta.url));
const BASICS = ['bash', 'cat', 'dirname', 'find', 'grep', 'head', 'mktemp', 'npm', 'rm', 'sort', 'tcpdump'];

/** Runs set-up as a plain user would, on a machine whose programs are `BASICS`, node and `more` alone. */
function setUp(t: Test, more: Record<string, string> = {}): { status: number | null; stdout: string; stderr: string } {
  const stubs = { id: '#!/bin/bash\necho 1000\n', ...more };
  const bin = t.testdir(stubs);
  for (const name of Object.keys(stubs)) chmodSync(join(bin, name), 0o755);
  for (const name of BASICS) {
    const found = (process.env.PATH ?? '').split(delimiter).map((folder) => join(folder, name));
    const existing = found.find((path) => spawnSync('test', ['-x', path]).status === 0);
    if (existing) symlinkSync(existing, join(bin, name));
  }
  if (!('node' in stubs)) symlinkSync(process.execPath, join(bin, 'node'));
  // The script adds the sbin directories itself; what is installed there cannot be hidden from it.
  return spawnSync('bash', [SETUP], { encoding: 'utf8', env: { PATH: bin } });
}

t.test('without root, each missing package is a line with its command', async (t) => {
  const { status, stdout, stderr } = setUp(t, { 'apt-get': '#!/bin/bash\nexit 99\n' });
  t.equal(status, 1);
  t.equal(stdout, '', 'nothing is changed');
  t.match(stderr, /^set-up: these are missing/);
  t.match(stderr, /^set-up: {3}dpdk-testpmd +sudo apt-get install -y dpdk-dev$/m);
  t.match(stderr, /^set-up: {3}libdpdk>=22\.11 +sudo apt-get install -y libdpdk-dev$/m);
  t.notMatch(stderr, 'install -y tcpdump');
});

t.test('without apt, the packages are named all the same', async (t) => {
  const { status, stderr } = setUp(t);
  t.equal(status, 1);
  t.match(stderr, /^set-up: {3}libpcap +install what Debian calls libpcap-dev/m);
});

t.test('an old Node.js is named with the version that is needed', async (t) => {
  const { status, stderr } = setUp(t, { node: '#!/bin/bash\necho 18.19.0\n' });
  t.equal(status, 1);
  t.match(stderr, /Node\.js 20\.17 or later \(this is 18\.19\.0\)/);
});
