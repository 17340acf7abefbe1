import t from 'tap';
import { Growth, type GrowthContext } from '../../../src/engine/memory/growth.js';
import { DpcapError } from '../../../src/errors.js';

const [PLANNED, MOST] = [1000, 4000];

/** Something that grows by 300 mbufs a step, and what it was asked for and told. */
function growing(change: Partial<GrowthContext> = {}) {
  const seen = { mbufs: 300, asked: [] as number[], notices: [] as string[], inside: 0, unanswered: 0 };
  const context: GrowthContext = {
    grow: async (_, upTo) => {
      seen.asked.push(upTo);
      seen.mbufs += 300;
      return seen.mbufs + 300 <= upTo;
    },
    obstacle: async () => undefined,
    inside: async (work) => {
      seen.inside++;
      return await work();
    },
    notice: (text) => seen.notices.push(text),
    unanswered: () => seen.unanswered++,
    ...change,
  };
  return { seen, growth: new Growth({ planned: PLANNED, most: MOST }, context) };
}

/** Ticks until nothing is asked for any more. */
async function settle(growth: Growth, wantsMbufs: boolean): Promise<void> {
  for (let i = 0; i < 10; i++) {
    growth.tick({ wantsMbufs });
    for (let turn = 0; turn < 100; turn++) await new Promise(setImmediate);
  }
}

t.test('what was planned comes by itself, more only when it is wanted', async (t) => {
  const { seen, growth } = growing();
  await settle(growth, false);
  t.equal(seen.mbufs, 900, 'as many steps as fit');
  t.ok(seen.asked.every((upTo) => upTo === PLANNED));
  await settle(growth, true);
  t.equal(seen.mbufs, 3900);
  t.equal(seen.asked.at(-1), MOST);
  const steps = seen.asked.length;
  await settle(growth, true);
  t.equal(seen.asked.length, steps, 'and that is all');
  t.equal(seen.inside, steps, 'each step is announced');
  await growth.end();
});

t.test('nothing is asked for beside somebody who does not answer', async (t) => {
  const { seen, growth } = growing({ obstacle: async () => new DpcapError('ERR_SECONDARY_STOPPED', 'x is stopped') });
  await settle(growth, true);
  t.same(seen.asked, []);
  t.match(seen.notices, [/less memory than planned: x is stopped/]);
});

t.test('a request that was not answered is not repeated', async (t) => {
  let asked = 0;
  const grow = async (): Promise<boolean> => {
    asked++;
    throw new DpcapError('ERR_PRIMARY_TIMEOUT', 'no answer');
  };
  const { seen, growth } = growing({ grow });
  await settle(growth, true);
  t.equal(asked, 1);
  t.equal(seen.unanswered, 1);
});

t.test('an end waits for the step that is under way, and for no other', async (t) => {
  let finish = (_: boolean): void => {};
  let asked = 0;
  const grow = (): Promise<boolean> => {
    asked++;
    return new Promise((resolve) => {
      finish = resolve;
    });
  };
  const { growth } = growing({ grow });
  growth.tick({ wantsMbufs: false });
  for (let turn = 0; turn < 10; turn++) await new Promise(setImmediate);
  let isOver = false;
  const over = growth.end().then(() => {
    isOver = true;
  });
  await new Promise(setImmediate);
  t.notOk(isOver);
  finish(true);
  await over;
  t.equal(asked, 1);
});
