/**
 * Brings the agent into one fresh application after the other, and has injectors killed at any moment:
 * `npm run test:inject-rounds -- [--rounds N] [--only testpmd|in-memory|elsewhere|user|forwarder|ovs|killed]`. The
 * applications have to go on, and the borrowed thread must not be held for long.
 */
import { chownSync, mkdtempSync, rmSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { startForwarderIn } from '../test/harness/agent.js';
import { bridgeTwoNamespaces, startTestpmd, type Testpmd, type TestpmdOptions } from '../test/harness/index.js';
import { inject, programBelow } from '../test/harness/inject.js';
import { findOpenVswitch, startOpenVswitch } from '../test/harness/open-vswitch.js';
import { type Running, startDpcap } from '../test/harness/processes.js';

/** In so many of 100 the thread may be held for longer. */
const MAY_BE_LONGER = 0.01;
const LONGEST_US = 5000;
/** A polling thread is not touched: its loop may stand still for so much longer than while a dry run looks. */
const MOST_MORE_US = 1000;
/** Longer than `dpcap agent inject` takes. */
const MOST_MS = 800;
const PINGS = 2000;
const NOBODY = 65534;

const { values } = parseArgs({
  options: { rounds: { type: 'string', default: '100' }, only: { type: 'string' } },
});
const rounds = Number(values.rounds);
let failures = 0;

/** Prints the distribution of the times for which threads were held, and judges it. */
function report(what: string, heldUs: number[]): void {
  const longer = heldUs.filter((us) => us > LONGEST_US).length;
  if (longer > Math.ceil(MAY_BE_LONGER * heldUs.length)) failures++;
  const held = distribution(heldUs);
  process.stdout.write(`${what}: ${heldUs.length} calls, thread held ${held}; ${longer} above ${LONGEST_US} us\n`);
}

function distribution(us: readonly number[]): string {
  const at = (share: number): string => `${Math.round(atShare(us, share))} us`;
  return `${at(0.5)} median, ${at(0.99)} p99, ${at(1)} at most`;
}

function atShare(us: readonly number[], share: number): number {
  return [...us].sort((a, b) => a - b)[Math.floor(share * (us.length - 1))] ?? 0;
}

async function withTestpmd(options: Partial<TestpmdOptions>, work: (testpmd: Testpmd) => Promise<void>): Promise<void> {
  const testpmd = await startTestpmd({ vdevs: ['net_null0', 'net_null1'], ...options });
  try {
    await testpmd.command('start');
    await work(testpmd);
    const { txPackets } = await testpmd.forwarding();
    await testpmd.forwarded(txPackets + 1000);
  } finally {
    const { code } = await testpmd.stop();
    if (code !== 0) failures++;
  }
}

async function fresh(what: string, options: Partial<TestpmdOptions>): Promise<void> {
  const held: number[] = [];
  for (let i = 0; i < rounds; i++) {
    await withTestpmd(options, async ({ pid }) => {
      held.push(...(await heldBy(programBelow(pid, 'dpdk-testpmd'))));
    });
  }
  report(what, held);
}

async function heldBy(pid: number): Promise<number[]> {
  return (await inject(pid)).calls.map(({ held_us: us }) => us);
}

/** In mount and PID namespaces of its own, as in a container. */
function elsewhere(): Promise<void> {
  return fresh('testpmd in other namespaces', {
    within: ['unshare', '--mount', '--pid', '--fork', '--kill-child', '--mount-proc'],
  });
}

/** As another user's process, from root. */
async function otherUser(): Promise<void> {
  const runtime = mkdtempSync('/tmp/dpcap-test-');
  chownSync(runtime, NOBODY, NOBODY);
  await fresh("another user's testpmd", {
    within: ['setpriv', `--reuid=${NOBODY}`, `--regid=${NOBODY}`, '--clear-groups'],
    eal: ['--no-huge', '--no-shconf', '--no-telemetry'],
    env: { XDG_RUNTIME_DIR: runtime },
  }).finally(() => rmSync(runtime, { recursive: true }));
}

/**
 * A primary of ours that polls without a rest and measures the longest time between two rounds of its loop: while the
 * agent is brought in, and while a dry run only looks. What a dpcap that runs beside it takes away is in both.
 */
async function forwarder(): Promise<void> {
  const held: number[] = [];
  const gaps = { with: [] as number[], without: [] as number[] };
  for (let i = 0; i < rounds; i++) {
    const { process: running, stop } = await startForwarderIn('dpdk-forwarder', ['net_null0', 'net_null1']);
    await longestGap(running);
    await inject(running.pid, ['--dry-run']);
    gaps.without.push(await longestGap(running));
    held.push(...(await heldBy(running.pid)));
    gaps.with.push(await longestGap(running));
    if ((await stop()).code !== 0) failures++;
  }
  report('forwarder', held);
  process.stdout.write(`  longest gap of its loop while that was done: ${distribution(gaps.with)}\n`);
  process.stdout.write(`  during a dry run: ${distribution(gaps.without)}\n`);
  const [longer, usual] = [atShare(gaps.with, 0.99), atShare(gaps.without, 0.99)];
  if (longer <= usual + MOST_MORE_US) return;
  failures++;
  process.stdout.write(`  its loop stood still for longer by more than ${MOST_MORE_US} us\n`);
}

async function longestGap(running: Running): Promise<number> {
  const from = running.stdout.length;
  running.write('g');
  const [, us] = await running.expect(/^gap (\d+)$/m, { from, stream: 'stdout' });
  return Number(us);
}

/** Each injector is killed at a moment of its own; the next one has to find the application as it needs it. */
async function killed(): Promise<void> {
  for (let i = 0; i < rounds; i++) {
    await withTestpmd({}, async ({ pid }) => {
      const one = startDpcap(['agent', 'inject', String(pid), '--yes']);
      await Promise.race([one.exited, delay(Math.random() * MOST_MS)]);
      one.signal('SIGKILL');
      await one.exited;
      await inject(pid);
    });
  }
  process.stdout.write(`${rounds} injectors killed at any moment\n`);
}

/** A fresh switch each time, under pings that must all be answered. */
async function openVswitch(): Promise<void> {
  const { reason } = findOpenVswitch();
  if (reason) return void process.stdout.write(`Open vSwitch: left out, ${reason}\n`);
  const held: number[] = [];
  for (let i = 0; i < rounds; i++) {
    const bridge = bridgeTwoNamespaces();
    const ovs = await startOpenVswitch(bridge.vdevs, 'none');
    try {
      bridge.a.run('ping', ['-c', '3', '-i', '0.05', '-W', '2', bridge.b.address]);
      const flood = bridge.a.start('ping', ['-q', '-c', String(PINGS), '-i', '0.002', '-W', '2', bridge.b.address]);
      held.push(...(await heldBy(ovs.pid)));
      const { stdout } = await flood.wait(60_000);
      if (!stdout.includes(`${PINGS} received`)) {
        failures++;
        process.stdout.write(stdout);
      }
    } finally {
      await ovs.stop();
      bridge.close();
    }
  }
  report('Open vSwitch', held);
}

const parts: Record<string, () => Promise<void>> = {
  testpmd: () => fresh('testpmd', {}),
  'in-memory': () => fresh('testpmd --in-memory', { eal: ['--in-memory'] }),
  elsewhere,
  user: otherUser,
  forwarder,
  ovs: openVswitch,
  killed,
};
for (const [name, part] of Object.entries(parts)) {
  if (values.only === undefined || values.only === name) await part();
}
process.stdout.write(failures === 0 ? 'nothing failed\n' : `${failures} failed\n`);
process.exitCode = failures === 0 ? 0 : 1;
