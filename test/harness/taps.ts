/** Joins two namespaces to TAP devices of a primary. Several processes can poll these, which cannot share AF_PACKET sockets. */
import { atExit } from './at-exit.js';
import type { Bridge } from './netns.js';
import { removeInterface, uniqueInterface } from './owned.js';
import { run } from './processes.js';

export interface Taps {
  /** `--vdev` arguments for ports 0 (that of a) and 1. */
  vdevs: string[];
  /** Joins them, once the primary has made them. */
  join(): void;
  /** Removes what joins them. */
  close(): void;
}

export function tapsBetween({ a, b }: Bridge): Taps {
  const sides = [a, b].map(({ rootInterface }) => ({
    outer: rootInterface,
    tap: uniqueInterface('t'),
    bridge: uniqueInterface('s'),
  }));
  const close = (): void => {
    for (const { bridge } of sides) removeInterface(bridge);
    forget();
  };
  const forget = atExit(close);
  const join = (): void => {
    for (const { outer, tap, bridge } of sides) {
      run('ip', ['link', 'add', bridge, 'type', 'bridge', 'mcast_snooping', '0']);
      for (const name of [bridge, tap]) run('sysctl', ['-qw', `net.ipv6.conf.${name}.disable_ipv6=1`]);
      for (const name of [outer, tap]) run('ip', ['link', 'set', name, 'master', bridge]);
      for (const name of [bridge, tap]) run('ip', ['link', 'set', name, 'up']);
    }
  };
  return { vdevs: sides.map(({ tap }, port) => `net_tap${port},iface=${tap}`), join, close };
}
