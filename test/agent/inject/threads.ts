import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { restingThreads } from '../../../src/agent/inject/call.js';
import { controlThreads, parseCall } from '../../../src/agent/inject/threads.js';
import { hostAddon } from '../../../src/native/addons.js';

const EPOLL_WAIT = 232;
const FUTEX = 202;

function makeThread(procDir: string, tid: number, name: string, place: string): void {
  const task = join(procDir, '7', 'task', String(tid));
  mkdirSync(task, { recursive: true });
  writeFileSync(join(task, 'comm'), `${name}\n`);
  writeFileSync(join(task, 'syscall'), place);
}

t.test('which are borrowed, and in which order', async (t) => {
  const procDir = t.testdir();
  makeThread(procDir, 7, 'router', `${EPOLL_WAIT} 0x1 0x2 0x3\n`);
  makeThread(procDir, 8, 'rte_mp_handle', '47 0x1 0x7ffe 0x7f01\n');
  makeThread(procDir, 9, 'telemetry-v2', `${FUTEX} 0x1 0x7ffe 0x7f01\n`);
  makeThread(procDir, 10, 'eal-intr-thread', `${EPOLL_WAIT} 0x1 0x7ffe 0x7f01\n`);
  makeThread(procDir, 11, 'dpdk-mp-msg', 'running\n');
  const names = controlThreads(7, procDir).map(({ name }) => name);
  t.same(names, ['eal-intr-thread', 'telemetry-v2', 'rte_mp_handle', 'dpdk-mp-msg'], 'none of the application');
  const resting = restingThreads(7, hostAddon(), procDir).map(({ name }) => name);
  t.same(resting, ['eal-intr-thread', 'rte_mp_handle'], 'none that waits for a lock, or runs');
  t.same(controlThreads(8, procDir), []);
});

t.test('where a thread is', async (t) => {
  t.equal(parseCall('232 0x1 0x2 0x7ffe 0x7f01\n'), 232);
  t.equal(parseCall('0 0x1 0x2 0x7ffe 0x7f01\n'), 0);
  for (const text of ['running\n', '-1 0x7ffe 0x7f01\n', '']) t.equal(parseCall(text), undefined);
});
