/** What every binding promises about captures, the real one and the tests' own. Each promise is a function that rejects. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { openSync } from 'node:fs';
import type { CaptureBinding, NativePlan, NativeStats } from '../../../src/native/capture-binding.js';

/** A plan for both directions of the first queue of port 0, into /dev/null, to vary. */
export function nullPlan(change: Partial<NativePlan> = {}): NativePlan {
  const lanes = (['rx', 'tx'] as const).map((direction) => ({
    device: 'net_null0',
    port: 0,
    queue: 0,
    direction,
    interface: 0,
    thread: 0,
  }));
  return {
    lanes,
    interfaces: [{ name: 'net_null0', description: '', filter: '' }],
    program: new Uint8Array(),
    programTx: new Uint8Array(),
    mode: 'stamped',
    format: 'pcap',
    nanoseconds: true,
    snaplen: 64,
    info: { application: 'test', operatingSystem: '', comments: [] },
    packetLimit: 0,
    byteLimit: 0,
    packetBuffered: false,
    mbufs: 1023,
    mostMbufs: 1023,
    dataRoom: 264,
    sink: { kind: 'file', fd: openSync('/dev/null', 'w') },
    threads: 1,
    cpus: [],
    purpose: 'contract',
    ...change,
  };
}

/** A binding, and how to wait until no thread of its application is inside a callback any more. */
export interface Subject {
  addon: CaptureBinding;
  quiesce: () => Promise<unknown>;
}

async function end({ addon, quiesce }: Subject, number: number): Promise<void> {
  assert.deepEqual(await addon.disableCapture(number, 'alive'), []);
  assert.equal(await quiesce(), undefined);
  await addon.finishCapture(number, 'outside');
  assert.equal(await addon.freeCapture(number), true);
}

const sums = (stats: NativeStats): bigint[] =>
  stats.lanes.map(({ written, ringfull, sinkdrop, surplus }) => written + ringfull + sinkdrop + surplus);

export const CONTRACT: Readonly<Record<string, (subject: Subject) => Promise<void>>> = {
  'a capture that was not started has nothing to tell, and nothing to give back': async (subject) => {
    const { addon } = subject;
    assert.throws(() => addon.captureStats(90), /no such capture/);
    await end(subject, 90);
  },

  'wrong arguments are refused at once': async (subject) => {
    const { addon } = subject;
    assert.throws(() => void addon.startCapture(1, nullPlan(), undefined as unknown as () => void), TypeError);
    assert.throws(() => void addon.startCapture(100, nullPlan(), () => {}), RangeError);
    assert.throws(() => addon.captureStats(1), /no such capture/);
    assert.throws(() => addon.flushCapture(1), /no such capture/);
  },

  'a limit is told, is exact, and the books are even': async (subject) => {
    const { addon } = subject;
    const told = new EventTarget();
    const isTold = once(told, 'told');
    await addon.startCapture(2, nullPlan({ packetLimit: 100 }), () => told.dispatchEvent(new Event('told')));
    await isTold;
    const stats = addon.captureStats(2);
    assert.equal(stats.limitReached, true);
    assert.equal(stats.sinkFailure, null);
    await end(subject, 2);
    const last = addon.captureStats(2);
    assert.deepEqual(
      last.lanes.map(({ port, queue, direction, state }) => ({ port, queue, direction, state })),
      (['rx', 'tx'] as const).map((direction) => ({ port: 0, queue: 0, direction, state: 'live' })),
    );
    assert.equal(
      last.lanes.reduce((sum, { written }) => sum + written, 0n),
      100n,
    );
    assert.deepEqual(
      last.lanes.map(({ accepted }) => accepted),
      sums(last),
    );
    assert.deepEqual(addon.captureStats(2), last, 'they stay as they are');
  },

  'a capture with one file takes no other, and tells of none': async (subject) => {
    const { addon } = subject;
    assert.throws(() => addon.fileTurns(91), /no such capture/);
    await addon.startCapture(5, nullPlan(), () => {});
    addon.flushCapture(5);
    assert.throws(() => addon.supplyFile(5, 0), /has one file/);
    assert.throws(() => addon.refuseFile(5, 2), /has one file/);
    assert.throws(() => addon.fileTurns(5), /has one file/);
    await end(subject, 5);
  },

  'a number is taken until its capture is freed': async (subject) => {
    const { addon } = subject;
    await addon.startCapture(3, nullPlan(), () => {});
    assert.throws(() => void addon.startCapture(3, nullPlan(), () => {}), /already started/);
    await end(subject, 3);
    await addon.startCapture(3, nullPlan(), () => {});
    await end(subject, 3);
  },

  'it has all memory that was planned sooner or later': async (subject) => {
    const { addon } = subject;
    await addon.startCapture(4, nullPlan(), () => {});
    while (await addon.growCapture(4, 1, 1023));
    const { mbufs } = addon.captureStats(4);
    assert.ok(mbufs > 0 && mbufs <= 1023);
    await addon.settleLanes(4);
    await end(subject, 4);
  },
};
