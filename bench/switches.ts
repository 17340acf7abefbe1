/**
 * Applications that forward what port 0 receives to port 1, and have a port 2 for copies: testpmd, and Open vSwitch. Both
 * poll on CPU 1, and all ports are net_null's, which makes the packets and frees what is sent.
 */
import { hostAddon } from '../src/native/addons.js';
import { startWithAgent } from '../test/harness/agent.js';
import { startOpenVswitch } from '../test/harness/open-vswitch.js';
import { DPDK_RUNTIME_DIR } from '../test/harness/owned.js';

const ANSWER_MS = 2000;

/** Packets that a switch has sent so far. */
export interface Sent {
  /** At port 1. */
  forwarded: number;
  /** At port 2. */
  mirrored: number;
}

/** One that runs. */
export interface Switch {
  prefix: string;
  sent(): Promise<Sent>;
  /** Begins a mirror of its own, of what port 0 receives, to port 2; undefined: it has none. */
  mirror?: () => Promise<unknown>;
  stop(): Promise<unknown>;
}

/** Packets of `size` bytes come in at port 0, and nowhere else. */
const vdevs = (size: number): string[] => [
  `net_null0,size=${size}`,
  `net_null1,size=${size},no-rx=1`,
  `net_null2,size=${size},no-rx=1`,
];

/** A testpmd with the agent, which leaves a transmit queue of each port alone. */
export async function startTestpmdSwitch(size: number): Promise<Switch> {
  const args = ['--portlist=0,1', '--rxq=1', '--txq=2'];
  const testpmd = await startWithAgent('LD_PRELOAD', { vdevs: vdevs(size), args, memoryMb: 128 });
  await testpmd.command('start');
  const socket = `${DPDK_RUNTIME_DIR}/${testpmd.prefix}/dpdk_telemetry.v2`;
  const packets = (port: number): number =>
    JSON.parse(hostAddon().telemetry(socket, `/ethdev/stats,${port}`, ANSWER_MS))['/ethdev/stats'].opackets;
  return {
    prefix: testpmd.prefix,
    sent: async () => ({ forwarded: packets(1), mirrored: packets(2) }),
    stop: () => testpmd.stop(),
  };
}

/** An Open vSwitch, with one flow in place of learning. */
export async function startOpenVswitchSwitch(size: number, agent: 'preloaded' | 'none'): Promise<Switch> {
  const ovs = await startOpenVswitch(vdevs(size), agent);
  try {
    await ovs.openflow('del-flows', 'br0');
    await ovs.openflow('add-flow', 'br0', 'in_port=p0,actions=output:p1');
  } catch (error) {
    await ovs.stop();
    throw error;
  }
  const ids = ['p0', 'p2'].flatMap((port) => ['--', `--id=@${port}`, 'get', 'port', port]);
  const create = ['--', '--id=@mirror', 'create', 'mirror', 'name=all', 'select-src-port=@p0', 'output-port=@p2'];
  return {
    prefix: ovs.prefix,
    sent: async () => {
      const ports = await ovs.openflow('--names', 'dump-ports', 'br0');
      return { forwarded: transmitted(ports, 'p1'), mirrored: transmitted(ports, 'p2') };
    },
    mirror: async () => {
      await ovs.configure(...ids, ...create, '--', 'set', 'bridge', 'br0', 'mirrors=@mirror');
      // Flows that packets go by already are not always looked at again (3.1.0): new ones have the mirror in them.
      await ovs.command('revalidator/purge');
    },
    stop: () => ovs.stop(),
  };
}

/** Of a port, in what `ovs-ofctl dump-ports` prints, which has a name in quotes where names are printed like strings. */
function transmitted(ports: string, name: string): number {
  const [, packets] = new RegExp(`port +"?${name}"?: rx [^\\n]*\\n +tx pkts=(\\d+)`).exec(ports) ?? [];
  if (packets === undefined) throw new Error(`Open vSwitch tells no figures of ${name}:\n${ports}`);
  return Number(packets);
}
