/** A kernel interface that exists: packets of both directions are sent out of it. */

import * as z from 'zod/mini';
import { DpcapError } from '../errors.js';
import { hostAddon } from '../native/addons.js';
import type { SinkPlan } from '../native/capture-binding.js';
import { nativeError } from '../native/errors.js';
import { interfaceGone, NOTHING_LEFT, type Sink } from './sink.js';

const schema = z.strictObject({ kind: z.literal('interface'), name: z.string() });

export const INTERFACE: Sink<z.infer<typeof schema>> & { schema: typeof schema } = {
  schema,
  takesFrames: true,
  nameOf: ({ name }) => `interface ${name}`,
  hasPath: false,
  open: ({ name }) => ({ sink: openInterface(name), ...NOTHING_LEFT }),
  failed: ({ name }, errno) => interfaceGone([name], errno),
  abandoned: ({ name }) => `no more packets are sent to ${name}`,
};

function openInterface(name: string): SinkPlan {
  try {
    const fd = hostAddon().openPacketSocket(name);
    return { kind: 'frames', queues: [{ rxFd: fd, txFd: fd }], maxRate: 0 };
  } catch (thrown) {
    const { code, message, errno, subject, cause } = nativeError(thrown);
    throw new DpcapError(code, message, { errno, subject, cause, hint: hintFor(errno, name) });
  }
}

/** What the user can do about the error, by its errno. */
function hintFor(errno: string | undefined, name: string): string | undefined {
  if (errno === 'EPERM') return 'a packet socket needs CAP_NET_RAW: run dpcap as root';
  if (errno === 'ENETDOWN') return `set it up: ip link set ${name} up`;
  if (errno === 'ENOLINK') return 'the kernel would drop every packet: plug the cable in, or set its peer up';
  if (errno === 'EPROTOTYPE') return 'tunnels and the like cannot send captured frames: choose an Ethernet interface';
  if (errno === 'ENODEV') return 'ip link shows the interfaces there are';
  return undefined;
}
