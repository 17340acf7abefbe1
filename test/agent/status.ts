import { openSync } from 'node:fs';
import t from 'tap';
import type { AgentAt } from '../../src/agent/find.js';
import { agentsJson, answers, askAgents, formatAgents } from '../../src/agent/status.js';
import type { AgentCapture, AgentHello } from '../../src/native/agent-binding.js';
import type { RecorderState } from '../../src/native/recorder-binding.js';

const HELLO: AgentHello = {
  pid: 7,
  peerPid: 7,
  isInjected: false,
  canMirror: true,
  canTunnel: true,
  isPrimary: true,
  filters: 'interpreted' as const,
  dpdkVersion: 'DPDK 22.11.11',
  program: 'router',
  ports: [{ id: 0, name: 'net0', rxQueues: 1, txQueues: 2, driver: 'd', mac: '', mtu: 1500, linkMbps: 0 }],
};
const CAPTURES: AgentCapture[] = [
  { clientPid: 11, state: 'capturing', lanes: 2, memoryBytes: 1, accepted: 5n },
  { clientPid: 0, state: 'ending', lanes: 2, memoryBytes: 1, accepted: 5n },
];
const addon = {
  agentHello: (socket: string): AgentHello => {
    if (socket.endsWith('_7')) return HELLO;
    throw Object.assign(new Error('it does not listen'), { code: 'ERR_PRIMARY_NOT_CAPTURABLE' });
  },
  agentCaptures: (): AgentCapture[] => CAPTURES,
  recorderState: (): RecorderState => ({ lanes: 2, path: '/run/rte/box', fd: openSync('/dev/null', 'r') }),
};

function agentAt(filePrefix: string, pid: number, program: string): AgentAt {
  const socket = `/run/${filePrefix}/dpcap_agent_${pid}`;
  return { filePrefix, runtimeDir: `/run/${filePrefix}`, socket, pid, process: { program } as AgentAt['process'] };
}

t.test('who has one, and who does not answer', async (t) => {
  const agents = askAgents([agentAt('rte', 7, 'router'), agentAt('ovs', 8, 'switch')], addon);
  t.same(agents.map(answers), [true, false]);
  const text = formatAgents(agents);
  t.match(text, /^rte +7 +router +DPDK 22\.11\.11 +0 \(net0\) +interpreted +pid 11, unseen \(ending\) +on +answers$/m);
  t.match(text, /^ovs +8 +switch +- +- +- +- +- +it does not listen$/m);
});

t.test('a recorder that is off', async (t) => {
  const off = { ...addon, recorderState: () => undefined };
  const agents = askAgents([agentAt('rte', 7, 'router')], off);
  t.match(formatAgents(agents), / +off +answers$/m);
  t.match(agentsJson(agents), { agents: [{ recorder: null }] });
});

t.test('the same for programs', async (t) => {
  const agents = askAgents([agentAt('rte', 7, 'router'), agentAt('ovs', 8, 'switch')], addon);
  const document = JSON.parse(JSON.stringify(agentsJson(agents)));
  t.match(document.agents[0], {
    ...{ file_prefix: 'rte', pid: 7, program: 'router', answers: true, process_type: 'primary' },
    ports: [{ id: 0, name: 'net0', rx_queues: 1, tx_queues: 2 }],
    recorder: { box: '/run/rte/box', lanes: 2 },
    captures: [{ client_pid: 11, state: 'capturing', lanes: 2, accepted: 5 }, { state: 'ending' }],
  });
  t.match(document.agents[1], { pid: 8, answers: false, error: 'ERR_PRIMARY_NOT_CAPTURABLE' });
});
