/** Addresses as text. All of them read bytes that may be missing: a RangeError is what Buffer throws then. */

/** "02:00:00:00:00:0a" */
export function macText(bytes: Buffer, at: number): string {
  if (at + 6 > bytes.length) throw new RangeError('the packet is cut off');
  return bytes.toString('hex', at, at + 6).replace(/..(?=.)/g, '$&:');
}

/** "10.0.0.1" */
export function ip4Text(bytes: Buffer, at: number): string {
  return [0, 1, 2, 3].map((i) => bytes.readUInt8(at + i)).join('.');
}

/** "2001:db8::1", as RFC 5952 wants it and inet_ntop() writes it: the first of the longest runs of zeros is left out. */
export function ip6Text(bytes: Buffer, at: number): string {
  const words = [0, 1, 2, 3, 4, 5, 6, 7].map((i) => bytes.readUInt16BE(at + 2 * i));
  const isMapped = words.slice(0, 5).every((word) => word === 0) && words[5] === 0xffff;
  if (isMapped) return `::ffff:${ip4Text(bytes, at + 12)}`;
  const { start, length } = longestZeros(words);
  const text = (part: number[]): string => part.map((word) => word.toString(16)).join(':');
  if (length < 2) return text(words);
  return `${text(words.slice(0, start))}::${text(words.slice(start + length))}`;
}

function longestZeros(words: readonly number[]): { start: number; length: number } {
  let best = { start: 0, length: 0 };
  let length = 0;
  for (const [at, word] of words.entries()) {
    length = word === 0 ? length + 1 : 0;
    if (length > best.length) best = { start: at - length + 1, length };
  }
  return best;
}
