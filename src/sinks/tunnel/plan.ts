/** What a plan says about a tunnel to a collector. */
import { isIP } from 'node:net';
import * as z from 'zod/mini';

const address = z.string().check(z.refine((text) => isIP(text) !== 0, 'not an IP address'));

const upTo = (least: number, most: number) => z.int().check(z.minimum(least), z.maximum(most));

export const tunnelSchema = z.strictObject({
  kind: z.literal('tunnel'),
  protocol: z.enum(['erspan', 'vxlan', 'gretap']),
  /** The collector's address. */
  address,
  /** Undefined: the one that the route has. */
  source: z.optional(address),
  /** ERSPAN's session id, VXLAN's VNI, GRETAP's key. */
  id: upTo(0, 0xffffffff),
  /** Of ERSPAN. */
  version: z.union([z.literal(2), z.literal(3)]),
  /** Of ERSPAN version 3. */
  hardwareId: upTo(0, 63),
  /** Of ERSPAN version 3: 32 bits of time, without the subheader that has the seconds. */
  hasShortTime: z.boolean(),
  /** Where the collector listens for VXLAN. */
  udpPort: upTo(1, 65535),
  /** Most bytes of a packet, its IP header included. Undefined: what the route allows, 1500 at most. */
  mtu: z.optional(upTo(576, 65535)),
  ttl: upTo(1, 255),
  dscp: upTo(0, 63),
  /** Packets a second, 0 for no limit. */
  maxRate: upTo(0, 0xffffffff),
  /** One thread sends, so that the sequence numbers are in the order of arrival. */
  queues: z.literal(1),
});

export type TunnelPlan = z.infer<typeof tunnelSchema>;
