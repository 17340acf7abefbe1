/** Mirrors of ports in a primary that has the agent: set, looked at and awaited through the command line. */
import { setTimeout as delay } from 'node:timers/promises';
import { hostAddon } from '../../src/native/addons.js';
import { DPDK_RUNTIME_DIR } from './owned.js';
import { runDpcap } from './processes.js';
import type { Testpmd } from './testpmd.js';

const DEADLINE_MS = 20_000;

/** A mirror as `dpcap mirror list --json` tells of it. */
export interface SeenMirror {
  id: string;
  state: 'on' | 'ending' | 'ended';
  reason: string | null;
  direction: string;
  leaseLeftSeconds: number;
  sourcePort: number;
  targetPort: number;
  targetQueue: number;
  counters: Record<MirrorCounter, number> & Partial<Record<TunnelCounter, number>>;
  tunnel: { protocol: string; id: number; nextHop: string | null; isNextHopGiven: boolean } | null;
}

/** Of a mirror into a tunnel alone. */
type TunnelCounter = 'limited' | 'unresolved' | 'own';

type MirrorCounter = 'filtered' | 'matched' | 'copied' | 'sent' | 'refused' | 'nombuf' | 'contended' | 'missed' | 'cut';

/** Sets a mirror that stays; resolves with what was set. @throws Error with what dpcap said when it was refused */
export async function setMirror(testpmd: Testpmd, words: readonly string[]): Promise<SeenMirror> {
  const command = ['mirror', 'set', '--file-prefix', testpmd.prefix, '--lease', '5m', '--json', ...words];
  const { code, stdout, stderr } = await runDpcap(command);
  if (code !== 0) throw new Error(`${command.join(' ')}: ${stderr}`);
  return JSON.parse(stdout).mirror;
}

/** All mirrors of the application. */
export async function mirrorsOf(testpmd: Testpmd): Promise<SeenMirror[]> {
  const { code, stdout, stderr } = await runDpcap([
    ...['mirror', 'list', '--via', 'agent', '--file-prefix', testpmd.prefix, '--json'],
  ]);
  if (code !== 0) throw new Error(stderr);
  return JSON.parse(stdout).ports;
}

/** Waits until the mirrors are as `wanted` says; resolves with them. @throws Error with how they are when they never are */
export async function mirrorsUntil(
  testpmd: Testpmd,
  wanted: (mirrors: readonly SeenMirror[]) => boolean,
): Promise<SeenMirror[]> {
  const deadline = Date.now() + DEADLINE_MS;
  for (;;) {
    const mirrors = await mirrorsOf(testpmd);
    if (wanted(mirrors)) return mirrors;
    if (Date.now() > deadline) throw new Error(`the mirrors are ${JSON.stringify(mirrors)}`);
    await delay(20);
  }
}

/** Whether exactly one counter says what became of each packet that was selected. */
export function addsUp({ counters }: SeenMirror): boolean {
  const { matched, copied, sent, refused, nombuf, contended, limited = 0, unresolved = 0 } = counters;
  const uncopied = nombuf + limited + unresolved;
  return matched === sent + refused + contended + uncopied && copied === matched - uncopied;
}

/** Waits until the agent has freed the mempools of copies, a moment after the last mirror has gone. @throws Error */
export async function copiesFreed({ prefix }: Pick<Testpmd, 'prefix'>): Promise<void> {
  const socket = `${DPDK_RUNTIME_DIR}/${prefix}/dpdk_telemetry.v2`;
  const deadline = Date.now() + DEADLINE_MS;
  while (/dpcap_mirror/.test(hostAddon().telemetry(socket, '/mempool/list', 2000))) {
    if (Date.now() > deadline) throw new Error('the mempool of a mirror is still there');
    await delay(10);
  }
}
