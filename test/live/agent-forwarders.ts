/** Through the agent, of applications that never call rte_pdump_init(): what tcpdump sees on the other end of the wire. */
import t from 'tap';
import { startForwarderWithAgent } from '../harness/agent.js';
import { isMissing } from '../harness/built.js';
import { bridgeTwoNamespaces, leftovers, requirements, runDpcap } from '../harness/index.js';
import { findOpenVswitch, startOpenVswitch } from '../harness/open-vswitch.js';
import { isWhatTcpdumpSees } from '../harness/wire.js';

const skip = requirements({ hugepagesMb: 128, tools: ['ethtool', 'curl'] });

for (const program of ['dpdk-forwarder', 'dpdk-static-forwarder', 'dpdk-linked-forwarder'] as const) {
  t.test(`ping and curl through ${program}`, { skip: skip || isMissing(program) }, async (t) => {
    const bridge = bridgeTwoNamespaces();
    t.teardown(() => bridge.close());
    const application = await startForwarderWithAgent(program, bridge.vdevs);
    t.teardown(() => application.stop());
    t.match(await runDpcap(['agent', 'check', String(application.process.pid)]), {
      code: 0,
      stdout: process.arch === 'x64' ? / compiled / : / interpreted /,
    });
    await isWhatTcpdumpSees(t, bridge, application.prefix, '0');
    t.match(await application.stop(), { code: 0 });
    bridge.close();
    t.same(leftovers(), []);
  });
}

t.test('ping and curl through Open vSwitch', { skip: skip || findOpenVswitch().reason }, async (t) => {
  const bridge = bridgeTwoNamespaces();
  t.teardown(() => bridge.close());
  const ovs = await startOpenVswitch(bridge.vdevs);
  t.teardown(() => ovs.stop());
  t.match(await runDpcap(['list']), { stdout: /ovs-vswitchd.* yes, through its agent/ });
  await isWhatTcpdumpSees(t, bridge, ovs.prefix, 'net_af_packet0');
  await ovs.stop();
  bridge.close();
  t.same(leftovers(), []);
});
