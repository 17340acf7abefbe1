/**
 * The reference for `--vlan any`: a frame without its VLAN tags. Written apart from the converter, on purpose.
 *
 * A tag is four bytes at offset 12 whose first two are 0x8100, 0x88a8 or 0x9100, in a frame that also holds the two
 * bytes after them. Up to five are removed, one after the other.
 */
export function stripTags(frame: Uint8Array): Uint8Array {
  let rest = frame;
  for (let removed = 0; removed < 5 && rest.length >= 18; removed++) {
    const tpid = (rest[12] as number) * 256 + (rest[13] as number);
    if (tpid !== 0x8100 && tpid !== 0x88a8 && tpid !== 0x9100) break;
    rest = Uint8Array.from([...rest.subarray(0, 12), ...rest.subarray(16)]);
  }
  return rest;
}
