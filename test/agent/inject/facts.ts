import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { lookAtTarget } from '../../../src/agent/inject/facts.js';
import { hostAddon } from '../../../src/native/addons.js';

const PID = 7;

/** A process whose threads have a status each. */
function makeProc(dir: string, statuses: Record<string, string>): string {
  mkdirSync(join(dir, String(PID)), { recursive: true });
  writeFileSync(join(dir, String(PID), 'stat'), `${PID} (router) S ${Array(40).fill('1').join(' ')}\n`);
  writeFileSync(
    join(dir, String(PID), 'status'),
    'Name:\trouter\nState:\tS (sleeping)\nUid:\t0\t0\t0\t0\nSeccomp:\t0\n',
  );
  for (const [at, [name, status]] of Object.entries(statuses).entries()) {
    const task = join(dir, String(PID), 'task', String(PID + at));
    mkdirSync(task, { recursive: true });
    writeFileSync(join(task, 'comm'), `${name}\n`);
    writeFileSync(join(task, 'syscall'), '232 0x1 0x2 0x3\n');
    writeFileSync(join(task, 'status'), status);
  }
  return dir;
}

t.test('what a thread that may be borrowed has of its own', async (t) => {
  const none = 'Seccomp:\t0\nx86_Thread_features:\t\n';
  const facts = (statuses: Record<string, string>) => {
    const found = lookAtTarget(PID, makeProc(t.testdir(), statuses), hostAddon());
    return { hasSeccomp: found?.hasSeccomp, hasShadowStack: found?.hasShadowStack };
  };
  const nothing = { hasSeccomp: false, hasShadowStack: false };
  t.same(facts({ router: none, 'eal-intr-thread': none }), nothing);
  t.same(facts({ 'eal-intr-thread': 'Seccomp:\t2\n' }), { ...nothing, hasSeccomp: true });
  const shadowed = 'Seccomp:\t0\nx86_Thread_features:\tshstk\n';
  t.same(facts({ 'telemetry-v2': shadowed }), { ...nothing, hasShadowStack: true });
  t.same(facts({ 'dpdk-worker1': 'Seccomp:\t2\n' }), nothing, 'nobody borrows a polling thread');
});
