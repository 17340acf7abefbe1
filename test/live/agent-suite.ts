/** What is tested of captures through pdump, through the agent. */
import { requirements } from '../harness/index.js';
import { testSuite } from '../harness/suite.js';

testSuite('essential tests of captures, through the agent', {
  script: 'test-way.sh',
  words: ['agent', '--essential'],
  limitMs: 300_000,
  atLeast: 150,
  skip: requirements({ hugepagesMb: 512 }),
});
