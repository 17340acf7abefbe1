/**
 * Command lines of tcpdump as manuals and tutorials have them, for the port IF. Words in single quotes are one word.
 * FILTER is a file with an expression, and OUT a file to be written.
 */

/** Their standard output is compared. */
export const PRINTING: readonly string[] = [
  '-i IF',
  '-nn -i IF',
  '-i IF -c 2',
  '-i IF host 10.0.0.1',
  '-nnvvS -i IF',
  '-nnvvXS -i IF',
  '-nnvvXSs 1514 -i IF',
  '-ttttnnvvS -i IF',
  '-i IF -nn -s0 -v port 80',
  '-A -s0 -i IF port 80',
  '-XX -i IF',
  '-i IF src 10.0.0.1',
  '-i IF dst 10.0.0.2 and not arp',
  '-i IF net 10.0.0.0/8',
  '-i IF src port 1234',
  '-i IF icmp',
  '-i IF portrange 21-80',
  '-i IF less 60',
  '-i IF greater 90',
  "-i IF 'tcp[13] & 2 != 0'",
  "-i IF 'tcp[tcpflags] & (tcp-syn|tcp-fin) != 0'",
  "-i IF 'icmp[icmptype] != icmp-echo and icmp[icmptype] != icmp-echoreply'",
  "-i IF 'tcp port 80 and (((ip[2:2] - ((ip[0]&0xf)<<2)) - ((tcp[12]&0xf0)>>2)) != 0)'",
  "-i IF 'ether[0] & 1 = 0 and ip[16] >= 224'",
  '-i IF -e vlan 7',
  '-i IF ip6',
  '-neti IF arp',
  '-l -n -i IF udp',
  '-q -i IF',
  '-i IF -ttt',
  '-tt -n -i IF',
  '-ttttt -i IF',
  '-# -i IF',
  '-K -v -i IF',
  '--absolute-tcp-sequence-numbers -i IF tcp',
  "-U -i IF 'udp port 53'",
  '-p -i IF not port 22',
  '-H -u -N -i IF',
  "-T vxlan -i IF 'udp port 4789'",
  '--nano -i IF tcp',
  '-B 4096 -i IF tcp or icmp',
  '-F FILTER -i IF',
  '--immediate-mode -i IF -c 1',
  '-y EN10MB -i IF arp',
  '-vvv -x -n -e -i IF --micro',
];

/** The packets of OUT are compared, and their standard output. */
export const WRITING: readonly string[] = [
  '-i IF -w OUT',
  '-i IF -s 60 -w OUT tcp',
  '-i IF -c 3 -w OUT',
  '-i IF -v -w OUT port 80',
  '-i IF -U -w OUT',
  '-i IF -Z root -w OUT icmp',
  '-nn -t -i IF --print -w OUT',
];

/** Nothing is captured, and what is printed is the same. */
export const ANSWERED: readonly string[] = [
  "-y EN10MB -d 'host 10.0.0.1 and tcp port 80'",
  '-y EN10MB -dd arp',
  '-y EN10MB -ddd -s 128 udp port 53',
  '-y EN10MB -O -d ip6',
];

/** Both refuse them. */
export const REFUSED: readonly string[] = [
  '-i IF prot 80',
  '-tttttt -i IF',
  '-i IF -c 0',
  '-Z nonesuch-user -i IF -w OUT',
  '-i IF --nonesuch',
  '-i IF -s 300000',
  '-d host',
];

/** The words of a line, with names for what it leaves open. */
export function wordsOf(line: string, names: Readonly<Record<string, string>>): string[] {
  const words = line.match(/'[^']*'|\S+/g) ?? [];
  return words.map((word) => names[word] ?? word.replace(/^'(.*)'$/, '$1'));
}
