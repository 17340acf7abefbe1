import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { findAgents } from '../../src/agent/find.js';
import { agentLibraries, agentLibrary } from '../../src/agent/library.js';
import { check } from '../../src/cli/commands/agent.js';
import { formatListings } from '../../src/cli/commands/list.js';
import type { AgentCapture, AgentHello } from '../../src/native/agent-binding.js';
import { collectListings } from '../../src/primary/listing.js';
import { fakeHost, makeProcess, makeRuntimeDir } from '../primary/helpers/fake-host.js';

const HELLO: AgentHello = {
  pid: 7,
  isPrimary: true,
  hasBpf: true,
  dpdkVersion: 'DPDK 22.11.11',
  program: 'router',
  ports: [{ id: 0, name: 'net0', rxQueues: 1, txQueues: 1, driver: 'd', mac: '', mtu: 1500, linkMbps: 0 }],
};

/** Two processes with an agent, one that cannot be joined, and a socket of one that has ended. */
function machine(t: Test): { root: string; procDir: string } {
  const top = t.testdir({ run: {}, proc: {} });
  const [root, procDir] = [join(top, 'run'), join(top, 'proc')];
  makeProcess(procDir, 7, ['router']);
  makeProcess(procDir, 8, ['switch']);
  writeFileSync(join(makeRuntimeDir(root, 'rte'), 'dpcap_agent_7'), '');
  mkdirSync(join(root, 'ovs'));
  for (const name of ['dpcap_agent_8', 'dpcap_agent_99', 'dpcap_agent_x', 'other']) {
    writeFileSync(join(root, 'ovs', name), '');
  }
  return { root, procDir };
}

t.test('the sockets of processes that are alive', async (t) => {
  const { root, procDir } = machine(t);
  t.match(findAgents(root, undefined, procDir), [
    { filePrefix: 'ovs', pid: 8, socket: join(root, 'ovs/dpcap_agent_8'), process: { program: 'switch' } },
    { filePrefix: 'rte', pid: 7 },
  ]);
  t.match(findAgents(root, 'rte', procDir), [{ pid: 7 }]);
  t.equal(findAgents(root, 'rte', procDir).length, 1, 'of that prefix alone');
  t.same(findAgents(join(root, 'nowhere'), undefined, procDir), []);
});

t.test('who has one, and who does not answer', async (t) => {
  const { root, procDir } = machine(t);
  const agents = findAgents(root, undefined, procDir);
  const agentHello = (socket: string): AgentHello => {
    if (socket.endsWith('_7')) return HELLO;
    throw Object.assign(new Error('it does not listen'), { code: 'ERR_PRIMARY_NOT_CAPTURABLE' });
  };
  const agentCaptures = (): AgentCapture[] => [
    { clientPid: 11, state: 'capturing', lanes: 2, memoryBytes: 1, accepted: 5n },
    { clientPid: 0, state: 'ending', lanes: 2, memoryBytes: 1, accepted: 5n },
  ];
  const addon = { agentHello, agentCaptures };
  const all = check(agents, undefined, addon);
  t.equal(all.hasAll, false);
  t.match(all.text, /^rte +7 +router +DPDK 22\.11\.11 +0 \(net0\) +librte_bpf +pid 11, unseen \(ending\) +answers$/m);
  t.match(all.text, /^ovs +8 +switch +- +- +- +- +it does not listen$/m);
  t.equal(check(agents, 7, addon).hasAll, true);
  const none = check(agents, process.pid, addon);
  t.match(none, { hasAll: false, text: /has no agent: start it with -d.*dpcap agent path/ });
  t.match(check([], undefined, addon), { hasAll: false, text: /no process has an agent/ });
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
