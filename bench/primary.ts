/** Starts the benchmarks' primary (bench/primary.c) and reads what it says. */
import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, rmSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { EBPF_ADDON, findBuilt } from '../src/native/addons.js';

const PARTS = [
  'bench_primary',
  'bench_inspect',
  'write_loop',
  'round_trip',
  'bare_drain',
  'bench_instructions',
  'bench_agent_instructions',
];
/** Those that are only built where dpcap captures by probes. */
const PROBE_PARTS = ['bench_probe_cost'];
const ROOT = fileURLToPath(new URL('../..', import.meta.url));

/** What it sends. */
export interface Traffic {
  /** Packets a second; 0: as fast as it can. */
  rate: number;
  /** Bytes of a packet. */
  size: number;
  /** Percent of the packets that go to UDP port 9. */
  match?: number;
  /** With dpcap's agent in it. */
  agent?: boolean | undefined;
  /** Queues that it sends to in turn. Default: 1. */
  queues?: number;
  /** When it ends by itself. Default: after an hour. */
  seconds?: number;
}

/** A running one. */
export interface Primary {
  prefix: string;
  pid: number;
  /** Resolves at its next report with the packets it sent in that second. @throws Error when it died */
  nextSecond(): Promise<number>;
  /** Ends it; resolves with all it has sent. */
  stop(): Promise<number>;
}

/** Builds it and the other native parts; quick when nothing changed. */
export function buildParts(): void {
  for (const target of [...PARTS, ...(findBuilt(EBPF_ADDON) ? PROBE_PARTS : [])]) {
    execFileSync('cmake', ['--build', 'build', '--target', target], {
      cwd: ROOT,
      stdio: ['ignore', 'ignore', 'inherit'],
    });
  }
}

/** What one is started with; it polls on the last CPU. */
export function primaryWords(prefix: string, { rate, size, match = 100, queues = 1, seconds }: Traffic): string[] {
  const cores = ['-l', '0,1', '--main-lcore', '1'];
  const eal = [...cores, '--file-prefix', prefix, '-m', '64', '--no-pci', '--vdev', 'net_null0'];
  const own = ['--rate', String(rate), '--size', String(size), '--match', String(match), '--queues', String(queues)];
  return [...eal, '--', ...own, ...(seconds === undefined ? [] : ['--seconds', String(Math.ceil(seconds))])];
}

/** Starts one. */
export async function startPrimary(traffic: Traffic): Promise<Primary> {
  const prefix = `dpcap-bench-${process.pid}-${Math.random().toString(36).slice(2, 7)}`;
  const child = spawn(`${ROOT}build/bench_primary`, primaryWords(prefix, traffic), {
    env: { ...process.env, ...(traffic.agent ? { LD_PRELOAD: agentPath() } : {}) },
    stdio: ['ignore', 'pipe', 'ignore'],
  });
  const lines = createInterface({ input: child.stdout });
  const exit = once(child, 'exit');
  let last = 0;
  let total = 0;
  lines.on('line', (line) => {
    const [, sent] = /^sent (\d+) total \d+$/.exec(line) ?? [];
    if (sent) last = Number(sent);
    const [, all] = /^total (\d+) in/.exec(line) ?? [];
    if (all) total = Number(all);
  });
  await new Promise<void>((resolve) => {
    lines.on('line', (line) => line === 'ready' && resolve());
  });
  return {
    prefix,
    pid: child.pid ?? 0,
    nextSecond: async () => {
      const line = await Promise.race([once(lines, 'line'), exit.then(() => undefined)]);
      if (!line) throw new Error('the primary died');
      return last;
    },
    stop: async () => {
      if (child.exitCode === null && child.signalCode === null) child.kill('SIGTERM');
      await exit;
      removeFiles(prefix);
      return total;
    },
  };
}

function agentPath(): string {
  return execFileSync(process.execPath, [`${ROOT}bin/dpcap.cjs`, 'agent', 'path'], { encoding: 'utf8' }).trim();
}

function removeFiles(prefix: string): void {
  rmSync(`/var/run/dpdk/${prefix}`, { recursive: true, force: true });
  for (const name of readdirSync('/dev/hugepages')) {
    if (name.startsWith(`${prefix}map_`)) rmSync(`/dev/hugepages/${name}`, { force: true });
  }
}
