/**
 * Debian's Open vSwitch with DPDK. Where it is not installed it is unpacked: its package would start it as a service. It
 * always runs with --in-memory, so that nobody can join it.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { projectFile } from '../../src/system/location.js';
import { installedAgent } from '../helpers/native.js';
import { atExit } from './at-exit.js';
import { removeEalFiles, uniqueName } from './owned.js';
import { type Running, start } from './processes.js';

const DAEMON = 'usr/lib/openvswitch-switch-dpdk/ovs-vswitchd-dpdk';
const PACKAGES = ['openvswitch-switch-dpdk', 'openvswitch-common'];
const UNPACK_MS = 180_000;
const ANSWER_MS = 20_000;

/** The folder with its files, or why there is none. */
export function findOpenVswitch(): { root: string; reason: false } | { root: undefined; reason: string } {
  if (existsSync(join('/', DAEMON))) return { root: '/', reason: false };
  if (!/VERSION_ID="12"/.test(readFileSync('/etc/os-release', 'utf8'))) {
    return { root: undefined, reason: 'the Open vSwitch of Debian 12 needs the libraries of Debian 12' };
  }
  const args = ['bookworm', ...PACKAGES];
  const made = spawnSync(projectFile('scripts/sysroot.sh'), args, { encoding: 'utf8', timeout: UNPACK_MS });
  const root = made.stdout?.trim().split('\n').at(-1);
  if (made.status === 0 && root) return { root, reason: false };
  return { root: undefined, reason: `Open vSwitch cannot be unpacked: ${made.stderr?.trim().split('\n').at(-1)}` };
}

/** One that runs. */
export interface OpenVswitch {
  prefix: string;
  /** Of ovs-vswitchd. */
  pid: number;
  /** Runs ovs-vsctl: its ports are p0, p1 and so on, of the bridge br0. @throws Error with what it said */
  configure(...words: string[]): Promise<string>;
  /** Runs ovs-ofctl. @throws Error with what it said */
  openflow(...words: string[]): Promise<string>;
  /** Runs ovs-appctl with ovs-vswitchd as its target. @throws Error with what it said */
  command(...words: string[]): Promise<string>;
  stop(): Promise<void>;
}

/** Starts it with a bridge and these ports, and waits until they are there. `agent`: whether it is preloaded. */
export async function startOpenVswitch(
  vdevs: readonly string[],
  agent: 'preloaded' | 'none' = 'preloaded',
): Promise<OpenVswitch> {
  const { root = '' } = findOpenVswitch();
  const prefix = uniqueName();
  const folder = mkdtempSync(join(tmpdir(), 'dpcap-ovs-'));
  const forget = atExit(() => rmSync(folder, { recursive: true, force: true }));
  const env: NodeJS.ProcessEnv = { LD_LIBRARY_PATH: join(root, 'usr/lib/x86_64-linux-gnu') };
  for (const name of ['OVS_RUNDIR', 'OVS_DBDIR', 'OVS_LOGDIR', 'OVS_SYSCONFDIR']) env[name] = folder;
  const [socket, database] = [`unix:${folder}/db.sock`, join(folder, 'conf.db')];
  const control = join(folder, 'vswitchd.ctl');
  const running: Running[] = [];
  const tool = async (program: string, ...words: string[]): Promise<string> => {
    const { code, stdout, stderr } = await start(join(root, program), words, { env }).wait(ANSWER_MS);
    if (code !== 0) throw new Error(`${program} ${words.join(' ')}: ${stderr}`);
    return stdout;
  };
  const configure = (...words: string[]): Promise<string> =>
    tool('usr/bin/ovs-vsctl', `--db=${socket}`, '--timeout=15', ...words);
  const stop = async (): Promise<void> => {
    for (const one of running.splice(0).reverse()) await one.stop('SIGTERM');
    removeEalFiles(prefix);
    rmSync(folder, { recursive: true, force: true });
    forget();
  };
  try {
    await tool('usr/bin/ovsdb-tool', 'create', database, join(root, 'usr/share/openvswitch/vswitch.ovsschema'));
    running.push(start(join(root, 'usr/sbin/ovsdb-server'), [database, `--remote=p${socket}`], { env }));
    await answers(() => configure('--no-wait', 'init'));
    const extra = `other_config:dpdk-extra="--no-pci -l 0,1 --file-prefix=${prefix}"`;
    const other = ['dpdk-init=true', 'dpdk-socket-mem=128', 'pmd-cpu-mask=2'].map((one) => `other_config:${one}`);
    await configure('--no-wait', 'set', 'Open_vSwitch', '.', ...other, extra);
    const daemon = join(root, DAEMON);
    const preload = agent === 'preloaded' ? { LD_PRELOAD: installedAgent() } : {};
    const vswitchd = start(daemon, [socket, `--unixctl=${control}`], { env: { ...env, ...preload } });
    running.push(vswitchd);
    await configure('add-br', 'br0', '--', 'set', 'bridge', 'br0', 'datapath_type=netdev');
    for (const [i, vdev] of vdevs.entries()) {
      const options = ['type=dpdk', `options:dpdk-devargs="${vdev}"`];
      await configure('add-port', 'br0', `p${i}`, '--', 'set', 'Interface', `p${i}`, ...options);
    }
    const openflow = (...words: string[]): Promise<string> => tool('usr/bin/ovs-ofctl', ...words);
    const command = (...words: string[]): Promise<string> => tool('usr/bin/ovs-appctl', '-t', control, ...words);
    return { prefix, pid: vswitchd.pid, configure, openflow, command, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

/** Tries until it works: the server has no word for being ready. */
async function answers(ask: () => Promise<string>): Promise<void> {
  const deadline = Date.now() + ANSWER_MS;
  for (;;) {
    try {
      await ask();
      return;
    } catch (error) {
      if (Date.now() > deadline) throw error;
      await delay(50);
    }
  }
}
