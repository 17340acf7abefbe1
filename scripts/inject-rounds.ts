/**
 * Brings the agent into one fresh application after the other, and has injectors killed at any moment:
 * `npm run test:inject-rounds -- [--rounds N] [--only testpmd|in-memory|ovs|killed]`. The applications have to go on, and
 * the borrowed thread must not be held for long.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { bridgeTwoNamespaces, startTestpmd, type Testpmd } from '../test/harness/index.js';
import { inject } from '../test/harness/inject.js';
import { findOpenVswitch, startOpenVswitch } from '../test/harness/open-vswitch.js';
import { startDpcap } from '../test/harness/processes.js';

/** In so many of 100 the thread may be held for longer. */
const MAY_BE_LONGER = 0.01;
const LONGEST_US = 5000;
/** Longer than `dpcap agent inject` takes. */
const MOST_MS = 800;
const PINGS = 2000;

const { values } = parseArgs({
  options: { rounds: { type: 'string', default: '100' }, only: { type: 'string' } },
});
const rounds = Number(values.rounds);
let failures = 0;

/** Prints the distribution of the times for which threads were held, and judges it. */
function report(what: string, heldUs: number[]): void {
  const sorted = heldUs.sort((a, b) => a - b);
  const at = (share: number): string => `${Math.round(sorted[Math.floor(share * (sorted.length - 1))] ?? 0)} us`;
  const longer = sorted.filter((us) => us > LONGEST_US).length;
  if (longer > Math.ceil(MAY_BE_LONGER * sorted.length)) failures++;
  process.stdout.write(
    `${what}: ${sorted.length} injected, thread held ${at(0.5)} median, ${at(0.99)} p99, ${at(1)} at most; ` +
      `${longer} above ${LONGEST_US} us\n`,
  );
}

async function withTestpmd(eal: string[], work: (testpmd: Testpmd) => Promise<void>): Promise<void> {
  const testpmd = await startTestpmd({ vdevs: ['net_null0', 'net_null1'], eal });
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

async function fresh(what: string, eal: string[]): Promise<void> {
  const held: number[] = [];
  for (let i = 0; i < rounds; i++) {
    await withTestpmd(eal, async ({ pid }) => {
      held.push(...(await inject(pid)).calls.map(({ held_us: us }) => us));
    });
  }
  report(what, held);
}

/** Each injector is killed at a moment of its own; the next one has to find the application as it needs it. */
async function killed(): Promise<void> {
  for (let i = 0; i < rounds; i++) {
    await withTestpmd([], async ({ pid }) => {
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
      held.push(...(await inject(ovs.pid)).calls.map(({ held_us: us }) => us));
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
  testpmd: () => fresh('testpmd', []),
  'in-memory': () => fresh('testpmd --in-memory', ['--in-memory']),
  ovs: openVswitch,
  killed,
};
for (const [name, part] of Object.entries(parts)) {
  if (values.only === undefined || values.only === name) await part();
}
process.stdout.write(failures === 0 ? 'nothing failed\n' : `${failures} failed\n`);
process.exitCode = failures === 0 ? 0 : 1;
