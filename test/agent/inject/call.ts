import { spawnSync } from 'node:child_process';
import t from 'tap';
import { callSomewhere } from '../../../src/agent/inject/call.js';
import type { InjectPlan } from '../../../src/agent/inject/judge.js';
import { hostAddon } from '../../../src/native/addons.js';
import { readProcess } from '../../../src/system/process.js';

const WANTED = { function: 1n, text: '', first: 0, second: 0, explain: 0n };

/** A plan for a process without DPDK, of which no thread may be borrowed. */
function planFor(pid: number, startTicks: number): InjectPlan {
  return { target: { pid, startTicks, program: 'router' }, places: { code: 1n, report: 2n } } as InjectPlan;
}

function call(plan: InjectPlan, limitMs: number): Promise<unknown> {
  const callInThread = (): never => t.fail('nobody may be borrowed') as never;
  return callSomewhere(plan, WANTED, limitMs, { isRest: hostAddon().isRest, callInThread });
}

t.test('no thread is at rest for as long as is waited', async (t) => {
  const plan = planFor(process.pid, readProcess(process.pid)?.startTicks ?? 0);
  const began = performance.now();
  await t.rejects(call(plan, 100), {
    code: 'ERR_INJECT_REFUSED',
    errno: 'EBUSY',
    message: /router \(pid \d+\) had no control thread of EAL at rest for 0\.1 s/,
    hint: /--wait/,
  });
  t.ok(performance.now() - began >= 100);
});

t.test('the process has ended meanwhile', async (t) => {
  const { pid } = spawnSync('true');
  await t.rejects(call(planFor(pid, 1), 10_000), { code: 'ERR_PRIMARY_GONE', errno: 'ESRCH' });
});
