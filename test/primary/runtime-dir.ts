import t from 'tap';
import { UsageError } from '../../src/errors.js';
import { runtimeDir, runtimeRoot } from '../../src/primary/runtime-dir.js';

const ROOTS: [string, NodeJS.ProcessEnv, number, string][] = [
  ['root', {}, 0, '/var/run/dpdk'],
  ['root ignores the session directory', { XDG_RUNTIME_DIR: '/run/user/0' }, 0, '/var/run/dpdk'],
  ['a service directory comes first', { RUNTIME_DIRECTORY: '/run/app', XDG_RUNTIME_DIR: '/x' }, 0, '/run/app/dpdk'],
  ['a user', { XDG_RUNTIME_DIR: '/run/user/1000' }, 1000, '/run/user/1000/dpdk'],
  ['a user without a session', {}, 1000, '/tmp/dpdk'],
];
for (const [name, env, uid, expected] of ROOTS) {
  t.equal(runtimeRoot(env, uid), expected, name);
}

t.equal(runtimeDir('rte', '/var/run/dpdk'), '/var/run/dpdk/rte');
for (const prefix of ['', '.', '..', 'a/b', '../x', 'a..b', 'a\0b']) {
  t.throws(() => runtimeDir(prefix, '/r'), UsageError, `refuses ${JSON.stringify(prefix)}`);
}
