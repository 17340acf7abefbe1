import t from 'tap';
import { agentMemory } from '../../src/supervisor/create-plan.js';

t.test('an agent makes memory of some size', async (t) => {
  t.equal(agentMemory(undefined), 64 * 1024 * 1024);
  t.equal(agentMemory(16 * 1024 ** 3), 16 * 1024 ** 3);
  t.throws(() => agentMemory(16 * 1024 ** 3 + 1024), {
    code: 'ERR_USAGE',
    message: /-B: 16777217 KiB/,
    hint: /16777216/,
  });
});
