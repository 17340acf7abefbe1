import { chownSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import t, { type Test } from 'tap';
import { findAgents } from '../../src/agent/find.js';
import { agentLibraries, agentLibrary } from '../../src/agent/library.js';
import { formatListings } from '../../src/cli/commands/list.js';
import { hostAddon } from '../../src/native/addons.js';
import { collectListings } from '../../src/primary/listing.js';
import { fakeHost, makeProcess, makeRuntimeDir } from '../primary/helpers/fake-host.js';

/** Two processes with an agent, one that cannot be joined, and a socket of one that has ended. */
function machine(t: Test, top = t.testdir()): { root: string; procDir: string } {
  const [root, procDir] = [join(top, 'run'), join(top, 'proc')];
  makeProcess(procDir, 7, ['router']);
  makeProcess(procDir, 8, ['switch']);
  writeFileSync(join(makeRuntimeDir(root, 'rte'), 'dpcap_agent_7'), '');
  mkdirSync(join(root, 'ovs'), { recursive: true });
  for (const name of ['dpcap_agent_8', 'dpcap_agent_99', 'dpcap_agent_x', 'other']) {
    writeFileSync(join(root, 'ovs', name), '');
  }
  return { root, procDir };
}

/** Processes that cannot be told from those that the sockets name. */
const listens = (): number => 0;

t.test('the sockets of processes that are alive', async (t) => {
  const { root, procDir } = machine(t);
  t.match(findAgents(root, undefined, procDir, listens), [
    { filePrefix: 'ovs', pid: 8, socket: join(root, 'ovs/dpcap_agent_8'), process: { program: 'switch' } },
    { filePrefix: 'rte', pid: 7 },
  ]);
  t.match(findAgents(root, 'rte', procDir, listens), [{ pid: 7 }]);
  t.equal(findAgents(root, 'rte', procDir, listens).length, 1, 'of that prefix alone');
  t.same(findAgents(join(root, 'nowhere'), undefined, procDir), []);
});

t.test('a socket where nobody listens is no agent, whoever has its pid now', async (t) => {
  const top = mkdtempSync(join(tmpdir(), 'dpcap-test-')); // a socket's path is short
  t.teardown(() => rmSync(top, { recursive: true }));
  const { root, procDir } = machine(t, top);
  t.same(findAgents(root, undefined, procDir), []);
  const socket = join(top, 'other');
  const server = createServer().listen(socket);
  t.teardown(() => server.close());
  t.equal(hostAddon().agentListener(socket), 0, 'something that is no agent is asked, and says what it is');
});

t.test('a process in a PID namespace of its own has another pid than its socket says', async (t) => {
  const { root, procDir } = machine(t);
  for (const name of ['dpcap_agent_1', 'dpcap_agent_1_2']) writeFileSync(join(root, 'rte', name), '');
  const pids: Record<string, number> = { dpcap_agent_1: 8, dpcap_agent_1_2: 7 };
  const found = findAgents(root, 'rte', procDir, (socket) => pids[basename(socket)]);
  t.match(found, [
    { pid: 8, socket: /dpcap_agent_1$/, process: { program: 'switch' } },
    { pid: 7, socket: /dpcap_agent_1_2$/, process: { program: 'router' } },
  ]);
  t.equal(found.length, 2);
});

t.test("another user's directory is not looked into", { skip: process.getuid?.() !== 0 && 'needs root' }, async (t) => {
  const { root, procDir } = machine(t);
  chownSync(join(root, 'ovs'), 65534, 65534);
  t.match(findAgents(root, undefined, procDir, listens), [{ pid: 7 }]);
  t.equal(findAgents(root, 'ovs', procDir, listens).length, 0);
});

t.test('one that nobody can join is listed, and can be captured from', async (t) => {
  const { root, procDir } = machine(t);
  const locks = { [join(root, 'rte/config')]: { locked: true, pid: 7 } };
  const text = formatListings(root, collectListings(root, fakeHost({ procDir, locks })));
  t.match(text, /^ovs +8 +switch .* yes, through its agent$/m);
  t.match(text, /^rte +7 +router .* yes, through its agent$/m);
  t.notMatch(text, 'rte_pdump_init');
});

t.test('the library for a release', async (t) => {
  const here = agentLibraries();
  t.match(here, [{ path: /libdpcap_agent\.dpdk\d+\.so$/ }]);
  t.throws(() => agentLibrary({ number: 0x13000000, text: '19.0' }), {
    code: 'ERR_VERSION_MISMATCH',
    message: /no agent for DPDK 19\.0/,
    hint: here[0]?.name,
  });
});
