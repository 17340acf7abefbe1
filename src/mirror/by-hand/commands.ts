/** The commands that do by hand what dpcap does with mirrors of ports: testpmd's, tc's and ip's. Pure. */
import { isIPv6 } from 'node:net';
import { UsageError } from '../../errors.js';
import { tunnelName } from '../../sinks/tunnel/url.js';
import type { PlanStep } from '../controller.js';
import { ruleLines } from '../hardware/describe.js';
import type { ResolvedFlow } from '../hardware/request.js';
import { frameOf } from '../hardware/request.js';
import { ruleLine, sampleLine } from '../hardware/testpmd.js';

/** From one kernel interface to another one. */
export interface TcMirror {
  source: string;
  target: string;
  /** Only where the NIC does it: both are representors. */
  isOffloaded: boolean;
}

export const TUNNELS = ['vxlan', 'gretap', 'erspan'] as const;

/** The other end of a mirror to a collector off the host: what receives it there. */
export interface Receiver {
  kind: (typeof TUNNELS)[number];
  local: string;
  remote: string | undefined;
  id: number;
  /** Of ERSPAN; Linux counts from 1 what the protocol counts from 2. */
  version: 2 | 3;
}

/** The interface that `receiverStep()` makes. */
export const RECEIVER_DEVICE = 'mirror0';
const MOST_ID = { vxlan: 2 ** 24 - 1, gretap: 2 ** 32 - 1, erspan: 1023 } as const;
/** Interface names as the kernel takes them (dev_valid_name), without what a shell would read. */
const DEVICE = /^[\w.@-]{1,15}$/;

/** A mirror from port to port in software. */
export function softwareStep(source: string, target: string): PlanStep {
  return {
    title: 'in software, from port to port',
    commands: [
      `dpcap mirror set -i ${source} --to-port ${target} --until-exit`,
      `dpcap mirror clear -i ${source} --to-port ${target}    # to end it`,
    ],
    notes: [
      'testpmd has no command for that: its forward modes send a packet once; neither has any other DPDK program that is not written for it',
      "it takes code in the application: dpcap's agent (dpcap agent path)",
    ],
  };
}

/** The rules of a mirror in hardware, as testpmd's prompt takes them. */
export function hardwareStep(flow: ResolvedFlow): PlanStep {
  const frame = frameOf(flow);
  const [, ...created] = ruleLines(flow);
  return {
    title:
      "in hardware, at the prompt of the testpmd that owns the ports: the flow rules' numbers are those that it prints",
    commands: [
      sampleLine(frame),
      ...flow.patterns.map((one) => ruleLine('validate', frame, one)),
      ...created,
      `flow destroy ${frame.through} rule NUMBER    # to end it, for each`,
    ],
    notes: [
      'before DPDK 23.07 testpmd knows no represented_port among the sample actions: write port_id id N there',
      'a rule also decides where the originals go, in place of the rules of the application',
    ],
  };
}

/** What tc takes to mirror what an interface receives. */
export function tcStep({ source, target, isOffloaded }: TcMirror): PlanStep {
  const skip = isOffloaded ? ' skip_sw' : '';
  return {
    title: isOffloaded
      ? 'in hardware, of a NIC in switchdev mode, which the kernel has: between representors'
      : 'in the kernel, between interfaces',
    commands: [
      `tc qdisc add dev ${source} clsact`,
      `tc filter add dev ${source} ingress matchall${skip} action mirred egress mirror dev ${target}`,
      `tc qdisc del dev ${source} clsact    # to end it`,
    ],
    notes: isOffloaded ? ['what a representor receives is what its VF sends'] : [],
  };
}

/** What `ip` takes to receive, at the collector, what `-w vxlan://`, `gretap://` or `erspan://` sends. */
export function receiverStep(receiver: Receiver): PlanStep {
  const { kind, local, remote, id, version } = receiver;
  const peer = remote === undefined ? '' : ` remote ${remote}`;
  const gre = isIPv6(local) ? 'ip6' : '';
  const by = {
    vxlan: `vxlan id ${id} dstport 4789 local ${local}${peer}`,
    gretap: `${gre}gretap local ${local}${peer} key ${id}`,
    erspan: `${gre}erspan local ${local}${peer} seq key ${id} erspan_ver ${version - 1}`,
  }[kind];
  return {
    title: 'at the collector: an interface that shows the mirrored packets',
    commands: [
      `ip link add ${RECEIVER_DEVICE} type ${by}`,
      `ip link set ${RECEIVER_DEVICE} up`,
      `ip link del ${RECEIVER_DEVICE}    # to end it`,
    ],
    notes: [
      `tcpdump -i ${RECEIVER_DEVICE} (or Wireshark) shows what was mirrored, without the tunnel`,
      `it takes what this sends: dpcap -i PORT -w '${senderUrl(receiver)}'`,
    ],
  };
}

/** The name of the tunnel that the interface understands: of ERSPAN III Linux knows no subheader. */
function senderUrl({ kind, local, remote, id, version }: Receiver): string {
  const url = tunnelName({ protocol: kind, address: local, id });
  const form = version === 2 ? '&version=2' : '&time=short';
  return `${url}${kind === 'erspan' ? form : ''}${remote === undefined ? '' : `&src=${remote}`}`;
}

/** @throws UsageError */
export function parseDevice(option: string, text: string): string {
  if (DEVICE.test(text)) return text;
  throw new UsageError(`${option}: ${JSON.stringify(text)} is no interface`, {
    subject: text,
    hint: '`ip link` shows the names that there are',
  });
}

/** @throws UsageError */
export function parseTunnel(text: string): Receiver['kind'] {
  const found = TUNNELS.find((kind) => kind === text);
  if (found !== undefined) return found;
  throw new UsageError(`--receive: unknown value ${text}`, { subject: text, hint: `use ${TUNNELS.join(', ')}` });
}

/** Undefined: the one that dpcap sends. @throws UsageError */
export function parseErspanVersion(kind: Receiver['kind'], text: string | undefined): Receiver['version'] {
  if (text !== undefined && kind !== 'erspan') {
    throw new UsageError(`--version with --receive ${kind}`, { subject: text, hint: 'only erspan has versions' });
  }
  if (text === undefined || text === '3') return 3;
  if (text === '2') return 2;
  throw new UsageError(`--version: unknown value ${text}`, { subject: text, hint: 'ERSPAN has 2 and 3' });
}

/** @throws UsageError */
export function checkTunnelId(kind: Receiver['kind'], id: number): number {
  if (id <= MOST_ID[kind]) return id;
  throw new UsageError(`--tunnel-id: ${id} is out of range`, { hint: `${kind} takes 0 to ${MOST_ID[kind]}` });
}
