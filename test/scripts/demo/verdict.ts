import t from 'tap';
import { type Finding, judgeIcmp, judgeTcp } from '../../../scripts/demo/verdict.js';

const A = '10.77.0.1';
const B = '10.77.0.2';
const PING = [
  `IP ${A} > ${B}: ICMP echo request, id 7, seq 1, length 64`,
  `IP ${B} > ${A}: ICMP echo reply, id 7, seq 1, length 64`,
  `IP ${A} > ${B}: ICMP echo request, id 7, seq 2, length 64`,
  `IP ${B} > ${A}: ICMP echo reply, id 7, seq 2, length 64`,
];
const HTTP = [
  `IP ${A}.40000 > ${B}.80: Flags [S], seq 1, win 64240, length 0`,
  `IP ${B}.80 > ${A}.40000: Flags [S.], seq 9, ack 2, win 65160, length 0`,
  `IP ${A}.40000 > ${B}.80: Flags [.], ack 1, win 502, length 0`,
  `IP ${A}.40000 > ${B}.80: Flags [P.], seq 1:74, ack 1, win 502, length 73: HTTP: GET / HTTP/1.1`,
  `IP ${B}.80 > ${A}.40000: Flags [P.], seq 1:255, ack 74, win 509, length 254: HTTP: HTTP/1.1 200 OK`,
  `IP ${A}.40000 > ${B}.80: Flags [F.], seq 74, ack 255, win 501, length 0`,
  `IP ${B}.80 > ${A}.40000: Flags [F.], seq 255, ack 75, win 509, length 0`,
  `IP ${A}.40000 > ${B}.80: Flags [.], ack 256, win 501, length 0`,
];
const without = (lines: string[], index: number): string[] => lines.filter((_, at) => at !== index);
const broken = (findings: Finding[]): string[] => findings.filter((f) => !f.kept).map((f) => f.promise);

t.test('ping', async (t) => {
  t.same(broken(judgeIcmp(PING, 2)), []);
  t.same(broken(judgeIcmp([], 2)), ['2 echo requests', '2 echo replies']);
  t.same(broken(judgeIcmp(without(PING, 3), 2)), ['2 echo replies']);
  t.same(broken(judgeIcmp([...PING, ...HTTP], 2)), ['nothing but ICMP']);
});

t.test('HTTP', async (t) => {
  t.same(broken(judgeTcp(HTTP)), []);
  t.same(broken(judgeTcp(without(HTTP, 1))), ['the handshake: SYN, SYN-ACK, ACK']);
  t.same(broken(judgeTcp(without(HTTP, 4))), ['GET and its 200']);
  t.same(broken(judgeTcp(without(HTTP, 6))), ['a FIN from either side']);
  t.same(broken(judgeTcp(without(HTTP, 7))), ['the last ACK']);
  const second = HTTP.map((line) => line.replace('40000', '40001'));
  t.same(broken(judgeTcp([...HTTP, ...second])), ['one connection only', 'a FIN from either side']);
  t.same(broken(judgeTcp([...PING.slice(0, 1), ...HTTP])), ['the handshake: SYN, SYN-ACK, ACK', 'nothing but TCP']);
});

t.test('what TCP sends again on a busy machine breaks no promise', async (t) => {
  for (const at of [0, 1, 3, 4, 5, 6, 7])
    t.same(broken(judgeTcp(HTTP.flatMap((line, i) => (i === at ? [line, line] : line)))), []);
});
