/** Two hosts as network namespaces, one of which collects what a tunnel from the other brings. */
import { atExit } from './at-exit.js';
import { type Joinable, LiveCapture } from './capture.js';
import { CAPTURE_DEFAULTS, withDefaults } from './defaults.js';
import { removeNamespace, uniqueName } from './owned.js';
import { DPCAP, type Running, run, start } from './processes.js';

/** The host's interface is `out`, the collector's `in`. */
export interface Collector {
  host: string;
  /** Names of the namespaces. */
  collector: string;
  /** `ip` in one of them. */
  ip(namespace: string, ...words: string[]): string;
  /** Starts a capture on the host. */
  capture(primary: Joinable, args: string[]): LiveCapture;
  /** Starts tcpdump on an interface of the collector; it ends when it has so many packets in `file`. */
  record(name: string, file: string, packets: number, expression?: string): Promise<Running>;
  /**
   * Gives the collector its addresses. Without them it sees what comes and says nothing; with them it says that nobody
   * listens, where nobody does.
   */
  answer(): void;
  /** Removes both. */
  close(): void;
}

/** Addresses, of the host and the collector. */
export const HOST = '192.0.2.1';
export const COLLECTOR = '192.0.2.9';
export const COLLECTOR_V6 = '2001:db8::9';
const COLLECTOR_MAC = '02:00:00:00:00:09';

/** Makes both; the kernel says nothing of its own between them but what it is asked. */
export function joinCollector(): Collector {
  const [host, collector] = [uniqueName(), uniqueName()];
  const close = (): void => {
    for (const name of [host, collector]) removeNamespace(name);
    forget();
  };
  const forget = atExit(close);
  const ip = (namespace: string, ...words: string[]): string => run('ip', ['-n', namespace, ...words]);
  for (const name of [host, collector]) run('ip', ['netns', 'add', name]);
  const peer = ['peer', 'name', 'in', 'address', COLLECTOR_MAC, 'netns', collector];
  ip(host, 'link', 'add', 'out', 'type', 'veth', ...peer);
  for (const [name, end] of [
    [host, 'out'],
    [collector, 'in'],
  ] as const) {
    ip(name, 'link', 'set', 'lo', 'up');
    ip(name, 'link', 'set', end, 'addrgenmode', 'none', 'up');
  }
  const give = (name: string, end: string, four: string, six: string): void => {
    ip(name, 'address', 'add', `${four}/24`, 'dev', end);
    ip(name, 'address', 'add', `${six}/64`, 'dev', end, 'nodad');
  };
  give(host, 'out', HOST, '2001:db8::1');
  for (const address of [COLLECTOR, COLLECTOR_V6]) {
    ip(host, 'neighbour', 'add', address, 'lladdr', COLLECTOR_MAC, 'dev', 'out');
  }
  return {
    answer: () => give(collector, 'in', COLLECTOR, COLLECTOR_V6),
    host,
    collector,
    ip,
    capture(primary, args) {
      const words = withDefaults({ ...CAPTURE_DEFAULTS, '--file-prefix': primary.prefix }, args);
      const process = inside(host, [DPCAP, ...words]);
      process.closeStdin();
      return new LiveCapture(process);
    },
    async record(name, file, packets, expression = '') {
      // In immediate mode libpcap's ring has a slot of the snapshot length for each packet: with the usual one it is soon full.
      const ring = ['--immediate-mode', '-s', '2048', '-B', '8192'];
      const words = ['-i', name, '-nn', '-U', '-Z', 'root', '-c', String(packets), '-w', file, expression];
      const tcpdump = inside(collector, ['tcpdump', ...ring, ...words]);
      await tcpdump.expect(/listening on/);
      return tcpdump;
    },
    close,
  };
}

/** nsenter leaves mounts as they are: the primary's files are found where they were. */
function inside(namespace: string, words: string[]): Running {
  return start('nsenter', [`--net=/run/netns/${namespace}`, ...words]);
}
