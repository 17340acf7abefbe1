/**
 * Connects to an agent, captures, and has engines killed at any moment, again and again, beside a primary at full load:
 * `npm run test:agent-rounds -- [--rounds N]`. The application has to go on as it was: its threads, descriptors, memory and
 * packets. How fast it forwards is told, and not judged: that is also a matter of who else uses the machine.
 */
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { findAgents } from '../src/agent/find.js';
import { hostAddon } from '../src/native/addons.js';
import { runtimeRoot } from '../src/primary/runtime-dir.js';
import { startWithAgent } from '../test/harness/agent.js';
import { Rounds } from '../test/harness/rounds.js';

const ENGINE = fileURLToPath(new URL('../test/harness/agent-engine.js', import.meta.url));
/** Longer than an engine takes until it captures. */
const MOST_MS = 400;

const { values } = parseArgs({ options: { rounds: { type: 'string', default: '1000' } } });
const rounds = Number(values.rounds);

const testpmd = await startWithAgent('LD_PRELOAD', { vdevs: ['net_null0', 'net_null1'] });
try {
  await testpmd.command('start');
  const socket = findAgents(runtimeRoot()).find(({ pid }) => pid === testpmd.pid)?.socket ?? '';
  const heapMb = await testpmd.heapMb();
  await once(fork(ENGINE, [socket, '1']), 'exit'); // the callbacks stay, once they were put in place
  process.stdout.write(`callbacks take ${(await testpmd.heapMb()) - heapMb} MB of the heap\n`);
  const beside = await Rounds.begin({ testpmd, engine: ENGINE, words: [socket] });

  for (let i = 0; i < rounds / 5; i++) hostAddon().agentHello(socket);
  await beside.report(`${Math.floor(rounds / 5)} connections`);
  await beside.startAndStop(rounds);
  await beside.kill(rounds, MOST_MS);
  process.exitCode = beside.end();
} finally {
  await testpmd.stop();
}
