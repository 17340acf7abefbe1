/** The commands that do by hand what dpcap does with mirrors of ports: testpmd's, tc's and ip's. Pure. */
import { UsageError } from '../../errors.js';
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

/** @throws UsageError */
export function parseDevice(option: string, text: string): string {
  if (DEVICE.test(text)) return text;
  throw new UsageError(`${option}: ${JSON.stringify(text)} is no interface`, {
    subject: text,
    hint: '`ip link` shows the names that there are',
  });
}
