import t from 'tap';
import { checkTapOptions } from '../../src/cli/output/tap-options.js';
import { threadsFor } from '../../src/forward2kni/tap-choices.js';

t.same(checkTapOptions({}, undefined), {
  name: undefined,
  netns: '',
  split: false,
  maxRate: 0,
  threads: undefined,
  directions: ['rx', 'tx'],
  bufferBytes: undefined,
  via: 'auto',
  probeBudget: 50,
  detach: false,
  filter: undefined,
});
t.match(checkTapOptions({ split: 'direction', direction: 'in', maxRate: '5', netns: 'x', threads: '1' }, undefined), {
  split: true,
  directions: ['rx'],
  maxRate: 5,
  netns: 'x',
  threads: 1,
});
for (const [bad, message] of [
  [{ split: 'queue' }, /--split: unknown value queue/],
  [{ netns: 'a/b' }, /--netns: a\/b/],
  [{ netns: '' }, /--netns: nothing/],
  [{ maxRate: '0' }, /--max-rate: 0 /],
  [{ maxRate: '1e3' }, /--max-rate: 1e3/],
  [{ maxRate: '4294967296' }, /--max-rate/],
  [{ threads: '9' }, /from 1 to 8/],
  [{ threads: '2', maxRate: '5' }, /exclude each other/],
  [{ direction: 'up' }, /-Q/],
  [{ bufferSize: '1' }, /-B/],
] as const) {
  t.throws(() => checkTapOptions(bad, undefined), { code: 'ERR_USAGE', message }, JSON.stringify(bad));
}

const threads = (rxQueues: number | undefined, cores: number, choices = {}) =>
  threadsFor({ maxRate: 0, threads: undefined, ...choices }, rxQueues, cores);
t.equal(threads(4, 2), 1, 'no core to spare');
t.equal(threads(4, 4), 2);
t.equal(threads(4, 16), 4, 'one for each queue');
t.equal(threads(64, 128), 8, 'at most');
t.equal(threads(undefined, 16), 1, 'queues not known');
t.equal(threads(4, 16, { maxRate: 100 }), 1, 'one is enough for a limited rate');
t.equal(threads(1, 2, { threads: 2 }), 2, 'as asked for');
