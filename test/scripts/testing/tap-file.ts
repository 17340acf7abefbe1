import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t, { type Test } from 'tap';
import { type FileResult, type RunOptions, runTapFile } from '../../../scripts/testing/tap-file.js';

const TAP = fileURLToPath(import.meta.resolve('tap'));
const WITH_TAP = `import t from ${JSON.stringify(TAP)};\n`;

/** Runs `source` as a test file of its own. */
async function runSource(t: Test, source: string, options: Partial<RunOptions> = {}): Promise<FileResult> {
  const file = join(t.testdir({ 'file.mjs': source }), 'file.mjs');
  return runTapFile(file, { timeLimitMs: 20_000, ...options });
}

/** A zombie does not run: whether it is waited for is init's affair. */
function isRunning(pid: number): boolean {
  return existsSync(`/proc/${pid}/stat`) && !/\) [ZX] /.test(readFileSync(`/proc/${pid}/stat`, 'utf8'));
}

const names = (result: FileResult): string[] => result.failures.map((failure) => failure.name);

t.test('counts the leaves of nested subtests', async (t) => {
  const result = await runSource(
    t,
    `${WITH_TAP} t.test('a', async t => { t.ok(1); t.test('b', async t => { t.ok(1); t.ok(1) }) }); t.ok(1, 'last')`,
  );
  t.match(result, { passed: 4, failures: [], skips: [] });
  t.ok(result.durationMs > 0);
  t.ok(result.pid > 0);
});

t.test('tells a failure with its place and its diagnostics', async (t) => {
  const result = await runSource(t, `${WITH_TAP} t.test('sums', async t => { t.ok(1); t.equal(1, 2, 'one is two') })`);
  t.equal(result.passed, 1);
  t.same(names(result), ['sums > one is two']);
  t.match(result.failures[0]?.diag, { diff: /-2\n\+1/ });
});

t.test('lists skips and todos with their reasons', async (t) => {
  const source = `${WITH_TAP} t.test('live', { skip: 'no hugepages' }, async () => {}); t.todo('later'); t.ok(1)`;
  const result = await runSource(t, source);
  t.match(result, { passed: 1, failures: [] });
  t.match(result.skips, [
    { name: 'live', reason: 'no hugepages' },
    { name: 'later', reason: /^todo/ },
  ]);
});

t.test('a file that skips itself as a whole is one skip', async (t) => {
  const result = await runSource(t, `console.log('TAP version 14\\n1..0 # SKIP not root')`);
  t.match(result, { passed: 0, failures: [], skips: [{ name: 'the whole file', reason: /not root/ }] });
});

t.test('a file may be run by another command', async (t) => {
  const source = `${WITH_TAP} t.equal(process.env.EMULATED, 'yes'); t.match(process.execArgv, ['--enable-source-maps'])`;
  const command = ['/usr/bin/env', 'EMULATED=yes', process.execPath];
  t.match(await runSource(t, source, { command }), { passed: 2, failures: [] });
});

t.test('a file that crashes fails, and its stderr is kept', async (t) => {
  const result = await runSource(
    t,
    `${WITH_TAP} t.ok(1); console.error('last words'); process.kill(process.pid, 'SIGSEGV')`,
  );
  t.match(names(result), [/was killed by SIGSEGV/]);
  t.match(result.output, /last words/);
});

t.test('a file that exits with a code although all was well fails', async (t) => {
  const result = await runSource(t, `console.log('ok 1\\n1..1'); process.exitCode = 7`);
  t.same(names(result), ['exited with code 7']);
});

t.test('a file that throws before its first test fails', async (t) => {
  const result = await runSource(t, `throw new Error('no such module')`);
  t.same(names(result), ['printed no test results', 'exited with code 1']);
  t.match(result.output, /no such module/);
});

t.test('a file that prints nothing fails', async (t) => {
  t.same(names(await runSource(t, '')), ['printed no test results']);
});

t.test('a file that does not exist fails', async (t) => {
  const result = await runTapFile(join(t.testdir(), 'none.js'), { timeLimitMs: 10_000 });
  t.ok(result.failures.length > 0);
});

for (const [what, tap] of [
  ['more tests than planned', '1..1\\nok 1\\nok 2'],
  ['fewer tests than planned', '1..3\\nok 1'],
  ['no plan', 'ok 1'],
]) {
  t.test(`${what}: fails`, async (t) => {
    const result = await runSource(t, `console.log('TAP version 14\\n${tap}')`);
    t.ok(result.failures.length > 0, names(result).join());
  });
}

t.test('bailing out fails', async (t) => {
  t.match(names(await runSource(t, `console.log('ok 1\\nBail out! disk full')`)), [/bailed out: disk full/]);
});

t.test('a file that hangs is stopped, with what it started', async (t) => {
  const source = `import { spawn } from 'node:child_process';
    const sleeper = spawn('sleep', ['1000'], { stdio: 'inherit' });
    console.log('ok 1\\n# ' + sleeper.pid);
    console.error('sleeper ' + sleeper.pid);
    process.on('SIGTERM', () => {});
    setInterval(() => {}, 1000);`;
  const result = await runSource(t, source, { timeLimitMs: 1000, graceMs: 200 });
  t.ok(names(result).includes('timed out'), names(result).join());
  t.ok(result.durationMs < 10_000);
  const sleeper = Number(result.output.match(/sleeper (\d+)/)?.[1]);
  t.notOk(isRunning(sleeper), 'the sleeper is gone');
});

t.test('complaints made after the end count as failures', async (t) => {
  const result = await runSource(t, `console.log('ok 1\\n1..1')`, {
    afterFile: async (pid) => [`left behind by ${pid}`],
  });
  t.match(result, { passed: 1 });
  t.same(names(result), [`left behind by ${result.pid}`]);
});
