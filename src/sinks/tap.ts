/** The output of a capture that goes to kernel interfaces: creates them, and says what to do when that fails. */

import { DpcapError } from '../errors.js';
import { binding } from '../native/binding.js';
import type { SinkPlan } from '../native/capture-binding.js';
import { nativeError } from '../native/errors.js';
import type { EnginePlan } from '../protocol/plan.js';

export type TapPlan = Extract<EnginePlan['output'], { kind: 'tap' }>;

/**
 * Creates the interface for rx and, where it is another one, the one for tx.
 * @throws DpcapError ERR_SINK_OPEN
 */
export function openTaps({ rxName, txName, netns, mtu, maxRate, queues }: TapPlan): SinkPlan {
  const create = (name: string): number[] => {
    try {
      return binding().createTap(name, netns, mtu, queues);
    } catch (thrown) {
      throw explain(nativeError(thrown));
    }
  };
  const rxFds = create(rxName);
  const txFds = txName === rxName ? rxFds : create(txName);
  return { kind: 'frames', queues: rxFds.map((rxFd, index) => ({ rxFd, txFd: txFds[index] ?? rxFd })), maxRate };
}

function explain(error: DpcapError): DpcapError {
  const { code, errno, subject, message, cause } = error;
  return new DpcapError(code, message, { errno, subject, cause, hint: hintFor(errno, subject) ?? error.hint });
}

/** What can be done about it, by what stood in the way. */
function hintFor(errno: string | undefined, subject: string | undefined): string | undefined {
  if (subject === '/dev/net/tun') return 'load the module (modprobe tun); give a container --device /dev/net/tun';
  if (errno === 'EBUSY') return 'an interface of that name exists: choose another with --name';
  if (errno === 'EPERM') return 'creating interfaces needs CAP_NET_ADMIN, and with --netns also CAP_SYS_ADMIN';
  if (errno === 'ENOENT') return 'ip netns list shows the network namespaces there are';
  return undefined;
}
