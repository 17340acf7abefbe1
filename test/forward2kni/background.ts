/** Background forwarders, with small scripts in the place of dpcap. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { endForwarder, findForwarder, startDetached } from '../../src/forward2kni/background.js';
import { type ForwarderState, ForwarderStates } from '../../src/forward2kni/state.js';
import { readProcess } from '../../src/system/process.js';
import { ownDir } from '../helpers/own-dir.js';

const PORT = { filePrefix: 'rte', id: 0 };
const STATE_MODULE = new URL('../../src/forward2kni/state.js', import.meta.url).href;

/** A script that says that it forwards, and then does `after`. */
function script(t: Test, after: string): { states: ForwarderStates; path: string } {
  const dir = ownDir(t);
  const path = join(dir, 'forwarder.mjs');
  writeFileSync(
    path,
    `import { ForwarderStates } from ${JSON.stringify(STATE_MODULE)};
     const states = new ForwarderStates(${JSON.stringify(dir)});
     const state = { filePrefix: 'rte', port: { id: 0, name: 'net_null0' }, interfaces: process.argv.slice(2), netns: '',
       startedAt: '', packets: 0, bytes: 0, nombuf: 0, ringfull: 0, sinkdrop: 0, filtered: 0 };
     ${after}`,
  );
  return { states: new ForwarderStates(dir), path };
}

t.test('started, found and ended', async (t) => {
  const { states, path } = script(t, 'states.save(state); setInterval(() => {}, 1000);');
  const state = await startDetached(PORT, states, [path, 'a', '--detach', '--json', 'b']);
  t.teardown(() => endForwarder(state));
  t.same(state.interfaces, ['a', 'b'], 'it is not told to detach once more');
  t.match(findForwarder(states.running(), '0', 'rte'), { pid: state.pid });
  t.match(findForwarder(states.running(), 'net_null0', 'rte'), { pid: state.pid });
  t.equal(findForwarder(states.running(), '1', 'rte'), undefined);
  t.equal(findForwarder(states.running(), '0', 'other'), undefined);
  await endForwarder(state);
  t.same(states.running(), []);
  await endForwarder(state);
});

t.test('its message and hint when it does not start', async (t) => {
  const { states, path } = script(t, "console.error('dpcap: no such thing (ENOENT)\\n  make one'); process.exit(1);");
  await t.rejects(startDetached(PORT, states, [path]), {
    code: 'ERR_ENGINE_DIED',
    message: 'the forwarder did not start: no such thing (ENOENT)',
    hint: 'make one',
  });
  const other = script(t, 'process.exit(3);');
  await t.rejects(startDetached(PORT, other.states, [other.path]), { message: /did not start: $/ });
});

t.test('one that does not end is named', async (t) => {
  const child = spawn(process.execPath, [
    '-e',
    "process.on('SIGTERM', () => {}); console.log(1); setInterval(() => {}, 1e3)",
  ]);
  t.teardown(() => child.kill('SIGKILL'));
  await once(child.stdout, 'data');
  const pid = child.pid ?? 0;
  const state = { pid, startTicks: readProcess(pid)?.startTicks, port: { id: 0, name: 'net_null0' } } as ForwarderState;
  await t.rejects(endForwarder(state, 100), { code: 'ERR_DISABLE_FAILED', hint: new RegExp(`kill -9 ${pid}`) });
});
