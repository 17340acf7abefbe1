/**
 * The letters of tcpdump that dpcap takes over. From this one table come their options, and with these the help, the manual
 * page and the completion; what is passed on to the printing program is picked by it as well.
 */

/** What dpcap does about a letter. */
export type Effect =
  /** It changes how packets are printed: the printing program gets it, as often as it was given. */
  | 'print'
  /** What it asks for is always so: it is accepted for the habit of it, and in scripts. */
  | 'always'
  /** dpcap itself does something for it. */
  | 'own';

/** One letter, or one of tcpdump's long options that have none. */
export interface Letter {
  /** As commander writes them. A value is in angle brackets. */
  flags: string;
  effect: Effect;
  /** A line of the help and of the manual page. */
  help: string;
  /** How often it may be given: more is a mistake. Default: as often as one likes. */
  most?: number;
}

/** All of them, in the order of the help: first what is printed, then what is done, then what is always so. */
export const LETTERS: readonly Letter[] = [
  { flags: '-e', effect: 'print', help: 'Print link-level headers.' },
  {
    flags: '-t',
    effect: 'print',
    most: 5,
    help: 'Print no time of day. -tt: seconds since 1970; -ttt: time since the line before; -tttt: date and time; -ttttt: time since the first line.',
  },
  { flags: '-v', effect: 'print', help: 'Print more detail; -vv and -vvv: still more.' },
  { flags: '-x', effect: 'print', help: 'Print the packets in hex; -xx: with their link-level headers.' },
  { flags: '-X', effect: 'print', help: 'Print the packets in hex and ASCII; -XX: with their link-level headers.' },
  { flags: '-A', effect: 'print', help: 'Print the packets in ASCII.' },
  { flags: '-q, --quiet', effect: 'print', help: 'Print less of each packet, and show no running count.' },
  { flags: '-S, --absolute-tcp-sequence-numbers', effect: 'print', help: 'Print TCP sequence numbers as they are.' },
  { flags: '-K, --dont-verify-checksums', effect: 'print', help: 'Verify no checksums when printing.' },
  { flags: '-H', effect: 'print', help: 'Look for mesh headers of 802.11s when printing.' },
  { flags: '-u', effect: 'print', help: 'Print NFS handles as they are.' },
  { flags: '-#, --number', effect: 'print', help: 'Number the lines that are printed.' },
  { flags: '--lengths', effect: 'print', help: 'Print the lengths of each packet. Needs tcpdump 5.' },
  { flags: '-T <type>', effect: 'print', help: 'Print UDP packets as this protocol, such as vxlan. Needs tcpdump.' },
  { flags: '-E <spec>', effect: 'print', help: 'Decrypt ESP packets that are printed. Needs tcpdump.' },
  { flags: '-M <secret>', effect: 'print', help: 'Verify TCP-MD5 digests with this secret. Needs tcpdump.' },
  { flags: '-m <module>', effect: 'print', help: 'Load this SMI module. Needs tcpdump.' },
  { flags: '--print', effect: 'own', help: 'Print packets also when they are written to a file by -w.' },
  {
    flags: '-U, --packet-buffered',
    effect: 'own',
    help: 'Write packets at once, instead of within 20 ms, and the unfinished file as FILE.partial, to be followed (not with -b, -C or -G).',
  },
  {
    flags: '-d',
    effect: 'own',
    help: "Print the expression's classic BPF and attach to nothing; -dd: as a part of a C program; -ddd: as numbers.",
  },
  { flags: '-O, --no-optimize', effect: 'own', help: 'With -d: the program as it is before it is optimised.' },
  { flags: '-D, --list-interfaces', effect: 'own', help: 'List the ports of all primaries, with the numbers for -i.' },
  { flags: '-L, --list-data-link-types', effect: 'own', help: 'List the link types of ports: there is Ethernet.' },
  { flags: '-J, --list-time-stamp-types', effect: 'own', help: 'List the types of timestamps for -j.' },
  { flags: '-y, --linktype <type>', effect: 'own', help: 'Link type of the packets: EN10MB.' },
  { flags: '--time-stamp-precision <precision>', effect: 'own', help: 'The same as --time-precision.' },
  {
    flags: '-Z, --relinquish-privileges <user>',
    effect: 'own',
    help: 'User whom new files belong to, and who prints packets. Default: the caller of sudo for files, and tcpdump.',
  },
  { flags: '--nano', effect: 'own', help: 'The same as --time-precision nano.' },
  { flags: '--micro', effect: 'own', help: 'The same as --time-precision micro.' },
  { flags: '-l', effect: 'always', help: 'Print line by line. This is always so.' },
  { flags: '-n', effect: 'always', help: 'Print no names, also as -nn. This is always so.' },
  { flags: '-N', effect: 'always', help: 'Print no domains of names. This is always so.' },
  {
    flags: '-p, --no-promiscuous-mode',
    effect: 'always',
    help: 'Leave the promiscuous mode of ports as it is. This is always so.',
  },
  { flags: '-g', effect: 'always', help: 'Let the group read the files, as far as the umask does. This is always so.' },
  { flags: '--immediate-mode', effect: 'always', help: 'Show each packet as it comes. This is always so.' },
];

/** The letters with one effect. */
export function lettersThat(effect: Effect): readonly Letter[] {
  return LETTERS.filter((letter) => letter.effect === effect);
}
