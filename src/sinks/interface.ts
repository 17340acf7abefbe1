/** The output of a capture that is sent out of a kernel interface, and what is said when an interface goes. */

import { DpcapError } from '../errors.js';
import { binding } from '../native/binding.js';
import type { SinkPlan } from '../native/capture-binding.js';
import { nativeError } from '../native/errors.js';
import type { EnginePlan } from '../protocol/plan.js';
import type { TapPlan } from './tap.js';

export type InterfacePlan = Extract<EnginePlan['output'], { kind: 'interface' }>;

/**
 * Opens an interface that is there, for both directions.
 * @throws DpcapError ERR_SINK_OPEN
 */
export function openInterface({ name }: InterfacePlan): SinkPlan {
  try {
    const fd = binding().openPacketSocket(name);
    return { kind: 'frames', queues: [{ rxFd: fd, txFd: fd }], maxRate: 0 };
  } catch (thrown) {
    const { code, message, errno, subject, cause } = nativeError(thrown);
    throw new DpcapError(code, message, { errno, subject, cause, hint: hintFor(errno, name) });
  }
}

/** What can be done about it, by what stood in the way. */
function hintFor(errno: string | undefined, name: string): string | undefined {
  if (errno === 'EPERM') return 'a packet socket needs CAP_NET_RAW: run dpcap as root';
  if (errno === 'ENETDOWN') return `set it up: ip link set ${name} up`;
  if (errno === 'ENOLINK') return 'the kernel would drop every packet: plug the cable in, or set its peer up';
  if (errno === 'EPROTOTYPE') return 'tunnels and the like cannot send captured frames: choose an Ethernet interface';
  if (errno === 'ENODEV') return 'ip link shows the interfaces there are';
  return undefined;
}

/** The error of a capture whose interface is no longer there. */
export function interfaceFailure(output: InterfacePlan | TapPlan, errno: string): DpcapError {
  const names = output.kind === 'interface' ? [output.name] : [...new Set([output.rxName, output.txName])];
  const subject = names.join(' or ');
  return new DpcapError('ERR_SINK_WRITE', `the capture ended early: interface ${subject} is gone`, {
    errno,
    subject,
    hint: 'somebody deleted it while packets went to it; start again',
  });
}
