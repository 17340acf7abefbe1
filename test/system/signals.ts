import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { NO_DEBUGGER, nodeCommand, STEADY_MEMORY } from '../../src/system/own-process.js';
import { endingSignals, isIgnored } from '../../src/system/signals.js';

const SIGNALS = new URL('../../src/system/signals.js', import.meta.url).href;
const SRC = fileURLToPath(new URL('../../../src', import.meta.url));
const BIN = fileURLToPath(new URL('../../../bin/dpcap', import.meta.url));

t.test('a mask as the kernel writes it', async (t) => {
  t.same(endingSignals(undefined), ['SIGINT', 'SIGTERM', 'SIGHUP']);
  t.same(endingSignals('0000000000000001'), ['SIGINT', 'SIGTERM'], 'nohup');
  t.same(endingSignals('0000000000000006'), ['SIGINT', 'SIGTERM', 'SIGHUP'], '`&` in a script: SIGINT, SIGQUIT');
  t.same(endingSignals('0000000000004001'), ['SIGINT']);
  for (const odd of ['', 'x', '-1', '1'.repeat(17)]) t.same(endingSignals(odd).length, 3, odd);
  t.ok(isIgnored('SIGQUIT', '4'));
  t.notOk(isIgnored('SIGQUIT', '8'));
});

t.test('node is started in one place, which forbids its debugger', async (t) => {
  const files = readdirSync(SRC, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.ts'));
  const starting = files.filter((name) => readFileSync(join(SRC, name), 'utf8').includes('process.execPath'));
  t.same(starting, ['system/own-process.ts']);
});

t.test('a process of ours survives what it does not know, and what was ignored', async (t) => {
  const code = `import ${JSON.stringify(SIGNALS)}; console.log('up'); setInterval(() => {}, 1e3);`;
  const child = spawn(process.execPath, [NO_DEBUGGER, '--input-type=module', '-e', code], {
    env: { ...process.env, DPCAP_IGNORED_SIGNALS: '0000000000000005' },
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(child.stdout, 'data');
  for (const signal of ['SIGUSR1', 'SIGUSR2', 'SIGHUP', 'SIGQUIT'] as const) child.kill(signal);
  child.kill('SIGTERM');
  t.same(await once(child, 'exit'), [null, 'SIGTERM'], 'only the last one ended it');
});

t.test('the wrapper tells node what was ignored, and to open no debugger', async (t) => {
  const wrapper = readFileSync(BIN, 'utf8');
  t.match(wrapper, `'${NO_DEBUGGER}'`);
  t.match(wrapper, ` ${STEADY_MEMORY} `, 'and its memory is bounded as that of the other processes');
  t.strictSame(nodeCommand(['x']).args, [NO_DEBUGGER, STEADY_MEMORY, 'x']);
  const script = `trap '' HUP; exec "$0" --version`;
  const link = join(t.testdir({}), 'linked');
  symlinkSync(BIN, link);
  const { stdout, status } = spawnSync('sh', ['-c', script, link], { encoding: 'utf8' });
  t.match(stdout, /^\d+\.\d+\.\d+\n$/);
  t.equal(status, 0);
});

t.test('without node on the PATH, the usual places are looked at, or it is said', async (t) => {
  const script = readFileSync(BIN, 'utf8');
  const run = (text: string) =>
    spawnSync('/bin/sh', ['-c', text, BIN, '--version'], { env: { PATH: t.testdir({}) }, encoding: 'utf8' });
  const places = /(?:\/\S+\/node ?)+(?=; do)/;
  t.match(run(script.replace(places, `/nowhere/node ${process.execPath}`)), { status: 0, stdout: /^\d/ });
  const none = run(script.replace(places, '/nowhere/node'));
  t.match(none, { status: 1, stderr: /^dpcap: cannot start: there is no node.*\n {2}install Node.js/ });
});

t.test('a signal that comes after the job does not take the place of its exit code', async (t) => {
  const code = `import { ignoreEndingSignals } from ${JSON.stringify(SIGNALS)};
    const listener = () => {};
    process.on('SIGINT', listener);
    ignoreEndingSignals();
    process.off('SIGINT', listener);
    process.on('SIGUSR1', () => process.exit(7));
    console.log('up'); setInterval(() => {}, 1e3);`;
  const child = spawn(process.execPath, [NO_DEBUGGER, '--input-type=module', '-e', code], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  await once(child.stdout, 'data');
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP', 'SIGUSR1'] as const) child.kill(signal);
  t.same(await once(child, 'exit'), [7, null]);
});
