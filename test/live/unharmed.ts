/** `npm run unharmed`, for a minute. */
import t from 'tap';
import { requirements } from '../harness/index.js';
import { runTrial } from '../harness/trial/run.js';

const SEED = 15;
const SECONDS = 60;

t.test('whatever happens, the primary is not harmed', { skip: requirements({ hugepagesMb: 1024 }) }, async (t) => {
  const log = (line: string): void => t.comment(line);
  const { harm } = await runTrial({ seed: SEED, seconds: SECONDS, steps: Number.POSITIVE_INFINITY, log });
  t.equal(harm, undefined, `replay with: npm run unharmed -- --seed ${SEED}`);
});
