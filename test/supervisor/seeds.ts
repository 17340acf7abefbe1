import t from 'tap';
import { lacksLists } from '../../src/supervisor/seeds.js';

t.test('a primary with fewer libraries is told from other failures', async (t) => {
  const message = "EAL: Selected IOVA mode 'PA'\nEAL: Cannot initialize tailq: RTE_HASH\nEAL: Cannot init tail queues";
  t.ok(lacksLists({ error: 'ERR_EAL_INIT', message }));
  t.ok(lacksLists({ error: 'ERR_EAL_INIT', message: 'FATAL: Cannot init tail queues for objects' }));
  t.notOk(lacksLists({ error: 'ERR_EAL_INIT', message: 'Cannot mmap memory for rte_config' }));
  t.notOk(lacksLists({ error: 'ERR_ENABLE_FAILED', message }));
});
