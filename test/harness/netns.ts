/** Two network namespaces whose only road to each other leads through a primary. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { atExit } from './at-exit.js';
import { removeInterface, removeNamespace, uniqueInterface, uniqueName } from './owned.js';
import { type Running, run, start } from './processes.js';
import { isInstalled } from './requirements.js';

/** A namespace with one interface, `eth0`, that leads to the primary. */
export interface Namespace {
  name: string;
  /** IPv4 address, without the prefix length (24). */
  address: string;
  /** IPv6 address, without the prefix length (64). */
  address6: string;
  mac: string;
  /** The other end of its `eth0`, in the root namespace: the primary's port. */
  rootInterface: string;
  /** Runs a short command inside; see `run`. */
  run(file: string, args: string[]): string;
  /** Starts a program inside; see `start`. */
  start(file: string, args: string[]): Running;
}

/** Two namespaces and the `--vdev` arguments that join them to a primary's ports 0 (a) and 1 (b). */
export interface Bridge {
  a: Namespace;
  b: Namespace;
  vdevs: string[];
  /** Removes both. Programs inside must have ended. */
  close(): void;
}

/**
 * Makes namespaces `a` (10.77.0.1, fd77::1) and `b` (10.77.0.2, fd77::2). Nothing flows before a primary with
 * `vdevs` forwards between its ports 0 and 1.
 */
export function bridgeTwoNamespaces(): Bridge {
  const undo: (() => void)[] = [];
  const close = (): void => {
    for (const step of undo.splice(0).reverse()) step();
    forget();
  };
  const forget = atExit(close);
  try {
    const a = makeNamespace('a', 1, undo);
    const b = makeNamespace('b', 2, undo);
    const vdevs = [a, b].map((side, index) => `net_af_packet${index},iface=${side.rootInterface}`);
    return { a, b, vdevs, close };
  } catch (error) {
    close();
    throw error;
  }
}

function makeNamespace(side: string, host: number, undo: (() => void)[]): Namespace {
  const name = uniqueName();
  const rootInterface = uniqueInterface(side);
  const inside = (file: string, args: string[]): string => run('ip', ['netns', 'exec', name, file, ...args]);
  const namespace: Namespace = {
    name,
    address: `10.77.0.${host}`,
    address6: `fd77::${host}`,
    mac: `02:00:00:00:77:0${host}`,
    rootInterface,
    run: inside,
    start: (file, args) => start('ip', ['netns', 'exec', name, file, ...args]),
  };
  run('ip', ['netns', 'add', name]);
  undo.push(() => removeNamespace(name));
  const peer = ['peer', 'name', 'eth0', 'address', namespace.mac, 'netns', name];
  run('ip', ['link', 'add', rootInterface, 'type', 'veth', ...peer]);
  undo.push(() => removeInterface(rootInterface));
  // Quiet: the kernel's own neighbour discovery and router solicitations would turn up in captures, and its multicast
  // reports, which it takes seconds over: they are over when the primary has started.
  run('sysctl', ['-qw', `net.ipv6.conf.${rootInterface}.disable_ipv6=1`]);
  inside('sysctl', ['-qw', 'net.ipv6.conf.eth0.router_solicitations=0', 'net.ipv6.conf.eth0.addr_gen_mode=1']);
  inside('sysctl', ['-qw', 'net.ipv6.conf.eth0.mldv2_unsolicited_report_interval=1']);
  inside('ip', ['address', 'add', `${namespace.address}/24`, 'dev', 'eth0']);
  inside('ip', ['address', 'add', `${namespace.address6}/64`, 'dev', 'eth0', 'nodad']);
  // The primary copies frames as they are, so checksums must be in them and segments cut before they get there.
  inside('ethtool', ['-K', 'eth0', 'rx', 'off', 'tx', 'off', 'tso', 'off', 'gso', 'off', 'gro', 'off']);
  inside('ip', ['link', 'set', 'lo', 'up']);
  inside('ip', ['link', 'set', 'eth0', 'up']);
  run('ip', ['link', 'set', rootInterface, 'up']);
  return namespace;
}

/** A web server in a namespace, on port 80. */
export interface HttpServer {
  url: string;
  /** Which program it is: "nginx" or "python3". */
  program: string;
  stop(): Promise<void>;
}

/**
 * Starts nginx, or Python's own server where nginx is not installed, and waits until it answers.
 * @param body what `GET /` returns
 */
export async function startHttpServer(namespace: Namespace, body = 'hello from dpcap\n'): Promise<HttpServer> {
  const directory = mkdtempSync(join(tmpdir(), 'dpcap-http-'));
  const forget = atExit(() => rmSync(directory, { recursive: true, force: true }));
  writeFileSync(join(directory, 'index.html'), body);
  const program = isInstalled('nginx') ? 'nginx' : 'python3';
  const server = namespace.start(program, program === 'nginx' ? nginxArguments(directory) : pythonArguments(directory));
  const stop = async (): Promise<void> => {
    await server.stop('SIGTERM');
    rmSync(directory, { recursive: true, force: true });
    forget();
  };
  try {
    await untilItAnswers(namespace, server);
  } catch (error) {
    await stop();
    throw error;
  }
  return { url: `http://${namespace.address}/`, program, stop };
}

function nginxArguments(directory: string): string[] {
  const configuration = join(directory, 'nginx.conf');
  const paths = ['client_body', 'proxy', 'fastcgi', 'uwsgi', 'scgi'].map((p) => `${p}_temp_path ${directory}/${p};`);
  writeFileSync(
    configuration,
    `daemon off; master_process off; pid ${directory}/pid; error_log stderr;
     events { worker_connections 64; }
     http { access_log off; ${paths.join(' ')} server { listen 80; root ${directory}; } }`,
  );
  return ['-c', configuration, '-e', 'stderr'];
}

function pythonArguments(directory: string): string[] {
  return ['-m', 'http.server', '--directory', directory, '80'];
}

/** Asks over the namespace's own loopback, so that the probes are not seen by the primary. */
async function untilItAnswers(namespace: Namespace, server: Running): Promise<void> {
  for (let attempt = 0; attempt < 200 && server.alive(); attempt++) {
    try {
      namespace.run('curl', ['-sf', '--max-time', '1', 'http://127.0.0.1/']);
      return;
    } catch {
      await delay(25); // it is not listening yet
    }
  }
  throw new Error(`${server.command}: does not answer\n${server.output}`);
}
