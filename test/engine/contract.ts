/** The stand-in for the addon keeps what the addon promises: test/live/contract.ts has the addon keep the same. */
import t from 'tap';
import { CONTRACT } from './helpers/capture-contract.js';
import { FakeCaptures } from './helpers/fake-captures.js';

for (const [promise, keeps] of Object.entries(CONTRACT)) {
  t.test(promise, async (t) => {
    await keeps({ addon: new FakeCaptures(), quiesce: async () => undefined });
    t.pass();
  });
}
