import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import t from 'tap';
import { errnoOf } from '../../src/errors.js';
import { binding } from '../helpers/native.js';

const addon = binding();

t.test('layouts come from the headers and fit together', async (t) => {
  const { tableSize, numOpsOffset, entriesOffset, entrySize, nameSize, maxOps } = addon.opsLayout;
  t.ok(numOpsOffset < entriesOffset && entriesOffset + maxOps * entrySize <= tableSize && nameSize < entrySize);
  t.ok(addon.memzoneLayout.nameSize < addon.memzoneLayout.entrySize);
  t.ok(addon.memzoneLayout.lengthOffset < addon.memzoneLayout.entrySize);
  t.same(Object.keys(addon.pdumpLimits), ['ports', 'queues', 'counterBytes']);
});

t.test('a file that nobody has locked', async (t) => {
  const dir = t.testdir({ config: '' });
  t.same(addon.lockHolder(join(dir, 'config')), { locked: false, pid: 0 });
});

/** Paths of sockets have at most 107 bytes. */
function shortDir(t: { teardown(body: () => void): void }): string {
  const dir = mkdtempSync(join(tmpdir(), 'dpcap-'));
  t.teardown(() => rmSync(dir, { recursive: true }));
  return dir;
}

const failure = (call: () => unknown): unknown => {
  try {
    call();
    return undefined;
  } catch (error) {
    return error;
  }
};

t.test('failures carry an errno name and what they are about', async (t) => {
  const dir = shortDir(t);
  writeFileSync(join(dir, 'file'), '');
  const missing = join(dir, 'nothing');
  t.match(
    failure(() => addon.lockHolder(missing)),
    { code: 'ERR_SYSTEM', errno: 'ENOENT', subject: missing },
  );
  t.match(
    failure(() => addon.telemetry(missing, '/', 100)),
    { errno: 'ENOENT', subject: missing },
  );
  t.match(
    failure(() => addon.telemetry(join(dir, 'file'), '/', 100)),
    { errno: 'ECONNREFUSED' },
  );
  t.match(
    failure(() => addon.telemetry(`/${'x'.repeat(200)}`, '/', 100)),
    { errno: 'ENAMETOOLONG' },
  );
  t.equal(errnoOf(failure(() => addon.lockHolder(missing))), 'ENOENT');
  t.match(
    failure(() => addon.tryLock(join(missing, 'lock'))),
    { code: 'ERR_SYSTEM', errno: 'ENOENT' },
  );
  t.match(
    failure(() => addon.verifyExtended(new Uint8Array(8), 1000)),
    { code: 'ERR_FILTER_UNSUPPORTED' },
  );
});

t.test('a socket of another type is refused', async (t) => {
  const path = join(shortDir(t), 's');
  const server = createServer().listen(path);
  t.teardown(() => server.close());
  await new Promise((resolve) => server.once('listening', resolve));
  t.match(
    failure(() => addon.telemetry(path, '/', 100)),
    { errno: 'EPROTOTYPE' },
  );
});

t.test('arguments of the wrong type', async (t) => {
  const call = (name: 'lockHolder' | 'telemetry' | 'telemetryAll', ...args: unknown[]): unknown =>
    failure(() => (addon[name] as (...args: unknown[]) => unknown)(...args));
  t.type(call('lockHolder'), TypeError);
  t.type(call('lockHolder', 7), TypeError);
  t.type(call('telemetry', '/x', 7, 100), TypeError);
  t.type(call('telemetryAll', '/x', '/info', 100), TypeError);
  t.type(call('telemetryAll', '/x', [7], 100), TypeError);
  for (const ms of [0, -1, Number.NaN, 1e9, '5', undefined]) t.type(call('telemetry', '/x', '/', ms), RangeError);
});
