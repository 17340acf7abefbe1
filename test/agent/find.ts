import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { findAgents } from '../../src/agent/find.js';
import { agentLibraries, agentLibrary } from '../../src/agent/library.js';
import { formatListings } from '../../src/cli/commands/list.js';
import { collectListings } from '../../src/primary/listing.js';
import { fakeHost, makeProcess, makeRuntimeDir } from '../primary/helpers/fake-host.js';

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
