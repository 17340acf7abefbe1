/** Bytes in hex, in hex and ASCII, and in ASCII, as tcpdump's -x, -X and -A print them. */

const LINE_BYTES = 16;

/** Lines of hex, each behind a line feed and a tabulator. */
export function hexDump(bytes: Buffer, withAscii: boolean): string {
  const lines: string[] = [];
  for (let at = 0; at < bytes.length; at += LINE_BYTES) {
    const part = bytes.subarray(at, at + LINE_BYTES);
    const hex = part.toString('hex').replace(/.{1,4}/g, ' $&');
    const place = `\n\t0x${at.toString(16).padStart(4, '0')}: `;
    const ascii = part.toString('latin1').replace(/[^!-~]/g, '.');
    lines.push(withAscii ? `${place}${hex.padEnd(40)}  ${ascii}` : `${place}${hex}`);
  }
  return lines.join('');
}

/** The text in the bytes, with a dot for what cannot be printed. A carriage return is kept back before a line feed. */
export function asciiDump(bytes: Buffer): string {
  const text = bytes.toString('latin1').replace(/\r(?=\n)/g, '');
  return `\n${text.replace(/[^ -~\t\n]/g, '.')}`;
}
