/** Two interfaces that are each other's wire, with nothing of the kernel's own on it. */
import { atExit } from './at-exit.js';
import { removeInterface, removeNamespace, uniqueInterface, uniqueName } from './owned.js';
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

/** A network namespace with pairs `out0`-`far0`, `out1`-`far1` ... in it, all with a carrier. */
export interface VethNamespace {
  name: string;
  /** The words that run a command inside. */
  inside: string[];
  /** `ip` inside. */
  ip(...words: string[]): string;
  close(): void;
}

export function vethNamespace(pairs: number): VethNamespace {
  const name = uniqueName();
  const inside = ['ip', 'netns', 'exec', name];
  const ip = (...words: string[]): string => run('ip', ['-n', name, ...words]);
  const close = (): void => {
    removeNamespace(name);
    forget();
  };
  const forget = atExit(close);
  run('ip', ['netns', 'add', name]);
  run('ip', ['netns', 'exec', name, 'sysctl', '-qw', 'net.ipv6.conf.default.disable_ipv6=1']);
  for (let pair = 0; pair < pairs; pair++) {
    const [out, far] = [`out${pair}`, `far${pair}`];
    ip('link', 'add', out, 'type', 'veth', 'peer', 'name', far);
    for (const end of [out, far]) ip('link', 'set', end, 'up');
    // The kernel says a little later that there is a carrier.
    run('timeout', ['10', 'sh', '-c', `until ip -n ${name} link show ${out} | grep -q 'state UP'; do :; done`]);
  }
  return { name, inside, ip, close };
}
