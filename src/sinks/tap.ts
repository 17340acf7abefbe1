/** TAP interfaces of dpcap: created with the capture, gone with it. */

import * as z from 'zod/mini';
import { DpcapError } from '../errors.js';
import { hostAddon } from '../native/addons.js';
import type { SinkPlan } from '../native/capture-binding.js';
import { nativeError } from '../native/errors.js';
import { MAX_THREADS } from '../protocol/limits.js';
import { interfaceGone, NOTHING_LEFT, type Sink } from './sink.js';

/** One interface for both directions, or one for each. */
const schema = z.strictObject({
  kind: z.literal('tap'),
  rxName: z.string(),
  txName: z.string(),
  netns: z.string(),
  mtu: z.int(),
  maxRate: z.int().check(z.nonnegative()),
  /** Each queue has a drain thread of its own. */
  queues: z.int().check(z.minimum(1), z.maximum(MAX_THREADS)),
});

export type TapPlan = z.infer<typeof schema>;

export const TAP: Sink<TapPlan> & { schema: typeof schema } = {
  schema,
  takesFrames: true,
  nameOf: ({ rxName, txName }) => [...new Set([rxName, txName])].map((name) => `interface ${name}`).join(' and '),
  hasPath: false,
  open: (output) => ({ sink: openTaps(output), ...NOTHING_LEFT }),
  failed: ({ rxName, txName }, errno) => interfaceGone([rxName, txName], errno),
  abandoned: () => 'its interface is gone',
};

/**
 * Creates the interface for rx and, where it is another one, the one for tx.
 * @throws DpcapError ERR_SINK_OPEN
 */
function openTaps({ rxName, txName, netns, mtu, maxRate, queues }: TapPlan): SinkPlan {
  const create = (name: string): number[] => {
    try {
      return hostAddon().createTap(name, netns, mtu, queues);
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

/** What the user can do about the error, by its errno. */
function hintFor(errno: string | undefined, subject: string | undefined): string | undefined {
  if (subject === '/dev/net/tun') return 'load the module (modprobe tun); give a container --device /dev/net/tun';
  if (errno === 'EBUSY') return 'an interface of that name exists: choose another with --name';
  if (errno === 'EPERM') return 'creating interfaces needs CAP_NET_ADMIN, and with --netns also CAP_SYS_ADMIN';
  if (errno === 'ENOENT') return 'ip netns list shows the network namespaces there are';
  return undefined;
}
