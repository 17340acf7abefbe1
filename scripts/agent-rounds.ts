/**
 * Connects to an agent, captures, and has engines killed at any moment, again and again, beside a primary at full load:
 * `npm run test:agent-rounds -- [--rounds N]`. The application has to go on as it was: its threads, descriptors, memory and
 * packets. How fast it forwards is told, and not judged: that is also a matter of who else uses the machine.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { findAgents } from '../src/agent/find.js';
import { hostAddon } from '../src/native/addons.js';
import { runtimeRoot } from '../src/primary/runtime-dir.js';
import { belongings, belongingsLike, startWithAgent } from '../test/harness/agent.js';
import type { Testpmd } from '../test/harness/testpmd.js';

const ENGINE = fileURLToPath(new URL('../test/harness/agent-engine.js', import.meta.url));
/** Longer than an engine takes until it captures. */
const MOST_MS = 400;
/** What the C library keeps of what was freed. A session that was not freed would be 2 KiB, or a mapping. */
const MOST_GROWTH_KIB = 512;
const RATE_MS = 2000;

const { values } = parseArgs({ options: { rounds: { type: 'string', default: '1000' } } });
const rounds = Number(values.rounds);

function engine(words: string[]): ChildProcess {
  return fork(ENGINE, words, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
}

/** Memory of the process alone, which is not DPDK's. */
function privateKib(pid: number): number {
  return Number(/^RssAnon:\s*(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]);
}

/** Millions of packets a second. */
async function forwardingRate(testpmd: Testpmd): Promise<number> {
  const { txPackets } = await testpmd.forwarding();
  const start = performance.now();
  await delay(RATE_MS);
  const later = await testpmd.forwarding();
  return (later.txPackets - txPackets) / 1000 / (performance.now() - start);
}

const testpmd = await startWithAgent('LD_PRELOAD', { vdevs: ['net_null0', 'net_null1'] });
let failures = 0;
try {
  await testpmd.command('start');
  const socket = findAgents(runtimeRoot()).find(({ pid }) => pid === testpmd.pid)?.socket ?? '';
  const heapMb = await testpmd.heapMb();
  await once(engine([socket, '1']), 'exit'); // the callbacks stay, once they were put in place
  const [had, hadMb, hadKib] = [belongings(testpmd.pid), await testpmd.heapMb(), privateKib(testpmd.pid)];
  const report = async (what: string): Promise<void> => {
    const [now, nowMb] = [await belongingsLike(had, testpmd.pid), await testpmd.heapMb()];
    const grownKib = privateKib(testpmd.pid) - hadKib;
    const { txPackets } = await testpmd.forwarding();
    await testpmd.forwarded(txPackets + 1000);
    const [is, was] = [JSON.stringify({ ...now, nowMb }), JSON.stringify({ ...had, nowMb: hadMb })];
    const isAsBefore = is === was && grownKib <= MOST_GROWTH_KIB;
    if (!isAsBefore) failures++;
    const rate = (await forwardingRate(testpmd)).toFixed(1);
    const memory = `${grownKib} KiB more of its own memory, ${rate} Mpps`;
    process.stdout.write(`${what}: ${isAsBefore ? 'as before' : `${is}, before ${was}`}; ${memory}\n`);
  };
  process.stdout.write(`first: ${JSON.stringify(had)}, ${(await forwardingRate(testpmd)).toFixed(1)} Mpps\n`);
  process.stdout.write(`callbacks take ${hadMb - heapMb} MB of the heap\n`);

  for (let i = 0; i < rounds / 5; i++) hostAddon().agentHello(socket);
  await report(`${Math.floor(rounds / 5)} connections`);

  const [code] = await once(engine([socket, String(rounds)]), 'exit');
  if (code !== 0) failures++;
  await report(`${rounds} captures started and stopped, exit code ${code}`);

  for (let i = 0; i < rounds; i++) {
    const one = engine([socket]);
    await Promise.race([once(one, 'exit'), delay(Math.random() * MOST_MS)]);
    one.kill('SIGKILL');
    if (one.exitCode === null && one.signalCode === null) await once(one, 'exit');
    if (one.exitCode) failures++;
  }
  await report(`${rounds} engines killed at any moment`);
} finally {
  await testpmd.stop();
}
process.stdout.write(failures === 0 ? 'nothing failed\n' : `${failures} failed\n`);
process.exitCode = failures === 0 ? 0 : 1;
