/** Two interfaces that are each other's wire, with nothing of the kernel's own on it. */
import { atExit } from './at-exit.js';
import { removeInterface, uniqueInterface } from './owned.js';
import { run } from './processes.js';

/** The pair's names; `close` removes both. */
export interface VethPair {
  a: string;
  b: string;
  close(): void;
}

export function vethPair(): VethPair {
  const [a, b] = [uniqueInterface('a'), uniqueInterface('b')];
  const close = (): void => {
    removeInterface(a);
    forget();
  };
  const forget = atExit(close);
  run('ip', ['link', 'add', a, 'type', 'veth', 'peer', 'name', b]);
  for (const name of [a, b]) {
    run('sysctl', ['-qw', `net.ipv6.conf.${name}.disable_ipv6=1`]);
    run('ip', ['link', 'set', name, 'up']);
  }
  return { a, b, close };
}
