import { readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import t from 'tap';
import { isRunning, isRunningLow, parseStartTicks, readProcess, splitCommandLine } from '../../src/system/process.js';
import { makeProcess } from '../primary/helpers/fake-host.js';

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

t.test('the very process, running', async (t) => {
  const procDir = t.testdir();
  makeProcess(procDir, 5000);
  const stat = join(procDir, '5000', 'stat');
  const text = readFileSync(stat, 'latin1');
  t.same(
    [4200, 4201].map((ticks) => isRunning(5000, ticks, procDir)),
    [true, false],
  );
  t.notOk(isRunning(5001, 4200, procDir));
  writeFileSync(stat, text.replace(' 4200 ', ` ${2 ** 33 + 7} `));
  t.same(
    [7, 8].map((ticks) => isRunningLow(5000, ticks, procDir)),
    [true, false],
    'after 497 days',
  );
  writeFileSync(stat, text.replace(') S ', ') Z '));
  t.notOk(isRunning(5000, 4200, procDir), 'a zombie');
  t.notOk(isRunningLow(5000, 4200, procDir), 'a zombie');
});

t.equal(parseStartTicks(`1 (x) y) S ${'0 '.repeat(18)}77 0`), 77, 'names with brackets');
t.equal(parseStartTicks(''), undefined);

t.test('any text is read without a throw', async (t) => {
  fc.assert(fc.property(fc.string(), (text) => Number.isSafeInteger(parseStartTicks(text) ?? 0)));
  fc.assert(fc.property(fc.string(), (text) => splitCommandLine(text).at(-1) !== ''));
  t.pass('');
});
