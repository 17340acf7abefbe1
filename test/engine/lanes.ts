import t from 'tap';
import { LaneWatch } from '../../src/engine/lanes.js';
import type { LanePlan, LaneStats } from '../../src/native/capture-binding.js';
import { lane } from './helpers/lane.js';

const plan = (queue: number, direction: 'rx' | 'tx'): LanePlan => {
  return { device: 'net_null9', port: 2, queue, direction, interface: 0 };
};

t.test('a lane whose port is back is told each time', async (t) => {
  const watch = new LaneWatch([plan(0, 'rx'), plan(1, 'tx')]);
  for (let time = 0; time < 2; time++) {
    t.match(watch.notices({ lanes: [lane(), lane({ state: 'port gone' })] }), [
      /queue 1 tx is no longer captured: its port/,
    ]);
    t.same(watch.notices({ lanes: [lane(), lane()] }), ['net_null9 queue 1 tx is captured again: its port is back']);
    t.same(watch.notices({ lanes: [lane(), lane()] }), []);
  }
});

t.test('what ended it, and what is back, is told', async (t) => {
  const watch = new LaneWatch([plan(0, 'rx')]);
  const told = (state: LaneStats['state']): string[] => watch.notices({ lanes: [lane({ state })] });
  t.match(told('queue gone'), [/the port has fewer queues/]);
  t.match(told('live'), [/captured again: its queue is back/]);
  t.match(told('process gone'), [/the process that polled it, or its agent, has ended/]);
  t.same(told('process gone'), []);
  t.match(new LaneWatch([plan(0, 'rx')]).notices({ lanes: [lane({ state: 'broken' })] }), [/cannot be/]);
});

t.test('each lane that ends is told once; the last ends the capture', async (t) => {
  const watch = new LaneWatch([plan(0, 'rx'), plan(1, 'tx')]);
  const all = { lanes: [lane(), lane()] };
  t.same(watch.notices(all), []);
  t.equal(watch.end(all), undefined);
  const one = { lanes: [lane(), lane({ state: 'queue gone' })] };
  t.match(watch.notices(one), [/net_null9 queue 1 tx is no longer captured: the port has fewer queues/]);
  t.same(watch.notices(one), []);
  t.equal(watch.end(one), undefined);
  const none = { lanes: [lane({ state: 'taken' }), lane({ state: 'queue gone' })] };
  t.match(watch.notices(none), [/net_null9 queue 0 rx.*another tool/]);
  t.match(watch.end(none), { code: 'ERR_PORT_GONE', message: /net_null9/, subject: 'net_null9' });
});
