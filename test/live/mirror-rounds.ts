/** Mirrors come and go at full load, and the application has all of its mbufs afterwards. 1000 rounds: npm run test:mirror-rounds. */
import t from 'tap';
import { isForwarding, isUnharmed, leftovers, remember, requirements } from '../harness/index.js';
import { runRounds, startForRounds } from '../harness/mirror-rounds.js';
import { copiesFreed } from '../harness/mirrors.js';
import { Random } from '../helpers/random.js';

const skip = requirements({ hugepagesMb: 256 });
const ROUNDS = process.env.DPCAP_LONG === '1' ? 1000 : 40;

t.test(`${ROUNDS} rounds at full load`, { skip }, async (t) => {
  const testpmd = await startForRounds();
  t.teardown(() => testpmd.stop());
  const available = await testpmd.available();
  await testpmd.command('start');
  runRounds(testpmd.prefix, 1, new Random(1)); // callbacks stay, once they were put in place
  await copiesFreed(testpmd);
  const before = await remember(testpmd);
  const { set, cleared, most } = runRounds(testpmd.prefix, ROUNDS, new Random(20));
  t.comment(`${set} set, at most ${most} at once`);
  t.equal(cleared.length, set, 'each was on until it was cleared');
  for (const { counters, id } of cleared) {
    const { matched, sent, refused, nombuf, contended, copied } = counters;
    const fates = sent + refused + nombuf + contended;
    if (matched !== fates || copied !== matched - nombuf)
      t.fail(`${id} does not add up: ${matched}, ${fates}, ${copied}`);
  }
  t.ok(
    cleared.some(({ counters }) => counters.sent > 0n),
    'packets were mirrored',
  );
  await isForwarding(t, testpmd, 'afterwards');
  await copiesFreed(testpmd);
  await isUnharmed(t, testpmd, before, 'afterwards');
  await testpmd.command('stop');
  t.same(await testpmd.available(), available, 'every mbuf of the application is back');
  t.match(await testpmd.stop(), { code: 0 });
  t.same(leftovers(), []);
});
