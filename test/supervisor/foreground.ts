import { once } from 'node:events';
import t from 'tap';
import { whileSignalsEnd } from '../../src/supervisor/foreground.js';

t.test('signals do to the captures in the foreground what they stand for', async (t) => {
  const told: string[] = [];
  const alive = setInterval(() => {}, 1000); // signals alone keep no process waiting
  t.teardown(() => clearInterval(alive));
  await whileSignalsEnd(async (running) => {
    running.push({
      stop: (reason) => told.push(`stop: ${reason}`),
      report: () => told.push('report'),
      flush: () => told.push('flush'),
      done: new Promise(() => {}),
    });
    for (const signal of ['SIGUSR1', 'SIGUSR2', 'SIGTERM'] as const) {
      const came = once(process, signal);
      process.kill(process.pid, signal);
      await came;
    }
  });
  t.same(told, ['report', 'flush', 'stop: signal']);
});
