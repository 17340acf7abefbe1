/** What is said of a capture that was given up. */
import t from 'tap';
import { type GivenUp, owedText } from '../../../src/supervisor/report/owed.js';

const JOINED = { agent: undefined, ebpf: undefined, input: undefined };
const STUCK: GivenUp = { isAlive: true, isDisabled: true, output: 'its output ends early' };

t.test('each way has its own', async (t) => {
  t.equal(
    owedText(JOINED, STUCK),
    'packets are copied no more; the engine ends by itself as soon as it can; ' +
      'clear what it leaves in the primary with: dpcap recover; its output ends early',
  );
  t.match(
    owedText(JOINED, { ...STUCK, isAlive: false, isDisabled: false }),
    /^packets may still be copied until it ends; clear what it left in the primary with: dpcap recover; its/,
  );
  const agent = { processes: [{ socket: '/s', pid: 1, startTicks: 1 }], memory: 1 };
  t.match(
    owedText({ ...JOINED, agent }, STUCK),
    /; the agent takes back then what the capture had in the application; /,
  );
  t.equal(
    owedText({ ...JOINED, input: { name: 'x', skip: 0, limit: 0 } }, STUCK),
    'the engine ends by itself as soon as it can; its output ends early',
  );
});
