import { symlinkSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import t from 'tap';
import { parseStartTicks, readProcess, splitCommandLine } from '../../src/primary/process.js';
import { makeProcess } from './helpers/fake-host.js';

t.test('this process', async (t) => {
  const self = readProcess(process.pid);
  t.match(self, { pid: process.pid, program: 'node', uid: process.getuid?.() });
  const age = Date.now() - Number(self?.startTime);
  t.ok(age > -1000 && age < 600_000, 'started a moment ago');
  t.ok(self?.namespacePids.includes(process.pid));
});

t.test('a process that is not there', async (t) => {
  t.equal(readProcess(1, t.testdir()), undefined);
});

t.test('a container and a deleted executable', async (t) => {
  const procDir = t.testdir();
  makeProcess(procDir, 5000, ['app', '', 'x'], 1);
  symlinkSync('/usr/bin/dpdk-app (deleted)', join(procDir, '5000', 'exe'));
  t.match(readProcess(5000, procDir), { program: 'dpdk-app', namespacePids: [5000, 1], commandLine: ['app', '', 'x'] });
});

t.equal(parseStartTicks(`1 (x) y) S ${'0 '.repeat(18)}77 0`), 77, 'names with brackets');
t.equal(parseStartTicks(''), undefined);

t.test('any text is read without a throw', async (t) => {
  fc.assert(fc.property(fc.string(), (text) => Number.isSafeInteger(parseStartTicks(text) ?? 0)));
  fc.assert(fc.property(fc.string(), (text) => splitCommandLine(text).at(-1) !== ''));
  t.pass('');
});
