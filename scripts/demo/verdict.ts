/** Judges the demo's two captures from what `tcpdump -nn -t` prints. Pure. */

/** One thing the demo promises, and whether the capture shows it. */
export interface Finding {
  promise: string;
  kept: boolean;
}

/** The ICMP capture: every ping with request and reply, and nothing else. */
export function judgeIcmp(lines: string[], pings: number): Finding[] {
  const requests = sequences(lines, 'request');
  const replies = sequences(lines, 'reply');
  const wanted = Array.from({ length: pings }, (_, index) => String(index + 1));
  return [
    { promise: `${pings} echo requests`, kept: isSame(requests, wanted) },
    { promise: `${pings} echo replies`, kept: isSame(replies, wanted) },
    { promise: 'nothing but ICMP', kept: lines.every((line) => /^IP [\d.]+ > [\d.]+: ICMP /.test(line)) },
  ];
}

/**
 * The TCP capture: one HTTP exchange from the first SYN to the last ACK, and nothing else. On a busy machine TCP sends
 * again what was not acknowledged in time, so what counts is who sent something, not how often.
 */
export function judgeTcp(lines: string[]): Finding[] {
  const flags = lines.map((line) => line.match(/Flags \[([^\]]*)\]/)?.[1] ?? '');
  const sendersOf = (wanted: RegExp): Set<string | undefined> =>
    new Set(lines.filter((_, at) => wanted.test(flags[at] ?? '')).map((line) => line.match(/^IP (\S+) >/)?.[1]));
  const handshake = flags.filter((flag, at) => flag !== flags[at - 1]).slice(0, 3);
  return [
    { promise: 'the handshake: SYN, SYN-ACK, ACK', kept: handshake.join(' ') === 'S S. .' },
    { promise: 'one connection only', kept: sendersOf(/^S$/).size === 1 },
    { promise: 'GET and its 200', kept: isInOrder(lines, [/HTTP: GET \/ HTTP/, /HTTP: HTTP\/1\.\d 200 OK/]) },
    { promise: 'a FIN from either side', kept: sendersOf(/F/).size === 2 },
    { promise: 'the last ACK', kept: flags.at(-1) === '.' },
    { promise: 'nothing but TCP', kept: lines.every((line) => /^IP [\d.]+ > [\d.]+: Flags /.test(line)) },
  ];
}

function sequences(lines: string[], kind: 'request' | 'reply'): string[] {
  return lines.flatMap((line) => line.match(new RegExp(`echo ${kind}, id \\d+, seq (\\d+),`))?.[1] ?? []);
}

function isSame(left: string[], right: string[]): boolean {
  return left.join() === right.join();
}

function isInOrder(lines: string[], patterns: RegExp[]): boolean {
  const places = patterns.map((pattern) => lines.findIndex((line) => pattern.test(line)));
  return places.every((place, index) => place >= 0 && (index === 0 || place > (places[index - 1] ?? 0)));
}
