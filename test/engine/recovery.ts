/** A recovery, with a primary and an addon that are not there. */
import t from 'tap';
import { type RecoverySession, recover } from '../../src/engine/recovery.js';
import type { OwnerFacts } from '../../src/native/primary-binding.js';
import { CriticalSections } from '../../src/protocol/critical-sections.js';
import { FakeSession } from './helpers/fake-session.js';
import { PLAN } from './helpers/plan.js';

const lane = (queue: number, live: boolean): OwnerFacts['lanes'][0] => ({
  device: 'net_null0',
  port: 0,
  queue,
  direction: 'rx',
  live,
});

const DEAD: OwnerFacts = {
  name: 'dpcap_7',
  pid: 7,
  running: false,
  startedAtNs: 0n,
  purpose: 'dpcap -i 0',
  lanes: [lane(0, true), lane(1, true), lane(2, false)],
};

t.test('whom the primary waits for is named while the callbacks are disabled', async (t) => {
  const told: string[] = [];
  const fake = new FakeSession();
  fake.delays = 'app is stopped';
  const session: RecoverySession = {
    sections: new CriticalSections(() => {}),
    attach: async () => ({ ...(await fake.attach()), owners: [DEAD] }),
    detach: async () => {},
    isPrimaryAlive: () => true,
    obstacle: async () => undefined,
    quiesce: async () => undefined,
    tellDelays: (requests, tell) => fake.tellDelays(requests, tell),
    addon: {
      disableOwner: async () => {
        while (told.length === 0) await new Promise(setImmediate);
        return [];
      },
      freeOwner: async () => {},
    },
  };
  const report = await recover({ ...PLAN, runtimeDir: t.testdir({}) }, session, (text) => told.push(text));
  t.match(report, { cleared: [{ pid: 7, lanes: 2 }], inDoubt: [] });
  t.same(told, ['app is stopped at 2 requests']);
});
