/** Frames as a NIC with VLAN offloads leaves them: tags in the mbuf instead of the packet. */
import type { MbufLayout } from '../../src/native/filter-binding.js';
import type { Direction } from '../../src/native/primary-binding.js';

/** A frame on the wire, and what of it is in the mbuf. */
export interface Offloaded {
  wire: Uint8Array;
  /** The packet's bytes. */
  data: Uint8Array;
  /** TCIs by the mbuf field they are in. */
  inner: number | undefined;
  outer: number | undefined;
}

const half = (frame: Uint8Array, at: number): number => ((frame[at] as number) << 8) | (frame[at + 1] as number);
const without = (frame: Uint8Array, bytes: number): Uint8Array =>
  Uint8Array.from([...frame.subarray(0, 12), ...frame.subarray(12 + bytes)]);

/**
 * Every way in which its tags can be taken off: not at all, the 802.1Q one, the 802.1ad one, both. On transmit the 802.1ad
 * one alone cannot be left to the NIC: {@link tagWords} refuses it.
 */
export function offloads(wire: Uint8Array): Offloaded[] {
  const whole = { wire, data: wire, inner: undefined, outer: undefined };
  if (wire.length < 16) return [whole];
  const [first, second] = [half(wire, 12), wire.length >= 20 ? half(wire, 16) : 0];
  if (first === 0x8100) return [whole, { ...whole, data: without(wire, 4), inner: half(wire, 14) }];
  if (first !== 0x88a8) return [whole];
  const outer = { ...whole, data: without(wire, 4), outer: half(wire, 14) };
  if (second !== 0x8100) return [whole, outer];
  return [whole, outer, { ...outer, data: without(wire, 8), inner: half(wire, 18) }];
}

/** Those of {@link offloads} that there are in a direction. */
export const offloadsOf = (direction: Direction, wire: Uint8Array): Offloaded[] =>
  offloads(wire).filter(({ inner, outer }) => direction === 'rx' || outer === undefined || inner !== undefined);

/**
 * The words that runExtended takes. The flags of the other direction are set at random: they mean nothing. On transmit the
 * flag of the outer tag stands for both, and the inner one's is beside it or not.
 */
export function tagWords(frames: readonly Offloaded[], layout: MbufLayout, direction: Direction): Uint32Array {
  const rx = [layout.rxVlanStripped, layout.rxQinqStripped] as const;
  const tx = [layout.txVlan, layout.txQinq] as const;
  const [mine, other] = direction === 'rx' ? [rx, tx] : [tx, rx];
  return Uint32Array.from(
    frames.flatMap(({ inner, outer }, index) => {
      if (direction === 'tx' && outer !== undefined && inner === undefined) throw new Error('no such frame');
      const misleading = BigInt(other[index % 2] as number) | 1n;
      const set = (value: number | undefined, flag: number): bigint => (value === undefined ? 0n : BigInt(flag));
      const isImplied = direction === 'tx' && outer !== undefined && index % 2 === 0;
      const flags = misleading | (isImplied ? 0n : set(inner, mine[0])) | set(outer, mine[1]);
      return [Number(flags & 0xffffffffn), Number(flags >> 32n), inner ?? 0xeeee, outer ?? 0xdddd];
    }),
  );
}

/** The VLAN ids of a frame: those in the mbuf, then up to five in the packet. */
export function vlansOf({ data, inner, outer }: Offloaded): number[] {
  const ids = [outer, inner].filter((tci) => tci !== undefined);
  for (let at = 12; at < 32 && data.length >= at + 6; at += 4) {
    if (![0x8100, 0x88a8, 0x9100].includes(half(data, at))) break;
    ids.push(half(data, at + 2));
  }
  return ids.map((tci) => tci & 0xfff);
}
