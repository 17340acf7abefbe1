import t from 'tap';
import * as z from 'zod/mini';
import { outputSchema, SINKS, sinkOf } from '../../src/sinks/registry.js';
import { NOTHING_LEFT, type Sink, writeFailed } from '../../src/sinks/sink.js';

const PLANS = {
  file: { kind: 'file', path: '/x.pcap', unfinished: '/x.pcap.1-a.partial' },
  device: { kind: 'device', path: '/dev/null' },
  fd: { kind: 'fd', fd: 4, name: 'standard output' },
  interface: { kind: 'interface', name: 'eth9' },
  tap: { kind: 'tap', rxName: 'a', txName: 'b', netns: '', mtu: 1500, maxRate: 0, queues: 1 },
  tunnel: {
    kind: 'tunnel',
    protocol: 'erspan',
    address: '192.0.2.9',
    id: 5,
    version: 3,
    hardwareId: 0,
    hasShortTime: false,
    udpPort: 4789,
    ttl: 64,
    dscp: 0,
    maxRate: 0,
    queues: 1,
  },
} as const;

t.test('each sink knows its plan, its end and its failure', async (t) => {
  t.same(Object.keys(PLANS), Object.keys(SINKS));
  for (const plan of Object.values(PLANS)) {
    t.same(z.parse(outputSchema, plan), plan, plan.kind);
    t.match(sinkOf(plan).failed(plan, 'EIO'), { code: 'ERR_SINK_WRITE', errno: 'EIO', hint: /./ });
    t.match(sinkOf(plan).abandoned(plan), /^[a-z]/);
    t.equal(sinkOf(plan).hasPath, 'path' in plan);
    t.match(sinkOf(plan).nameOf(plan), /x\.pcap$|null$|output$|eth9$|a and interface b$|id=5$/);
    t.equal(sinkOf(plan).takesFrames, ['tap', 'interface'].includes(plan.kind));
    t.throws(() => z.parse(outputSchema, { ...plan, more: 1 }), 'what a sink does not know is refused');
  }
});

t.test('where packets are is known without a look at the disk', async (t) => {
  const file = { ...PLANS.file, unfinished: '/nowhere/x.pcap.1-0123456789ab.partial' };
  t.equal(SINKS.file.unasked?.(file, undefined), `what was written until then is in ${file.unfinished}`);
  t.equal(
    SINKS.file.unasked?.(file, 2),
    'what was written until then is in 2 finished files, /nowhere/x.pcap.1-*.partial',
  );
  t.equal(SINKS.file.unasked?.({ kind: 'file', path: '/x' }, undefined), 'what was written until then is in /x');
});

t.test('a sink is one object', async (t) => {
  const schema = z.strictObject({ kind: z.literal('nowhere') });
  const NOWHERE: Sink<z.infer<typeof schema>> = {
    schema,
    takesFrames: false,
    nameOf: () => 'nowhere',
    hasPath: false,
    open: () => ({ sink: { kind: 'file', fd: 9 }, ...NOTHING_LEFT }),
    failed: (_, errno) => writeFailed('nowhere', errno),
    abandoned: () => 'nothing is anywhere',
  };
  t.match(await NOWHERE.open({ kind: 'nowhere' }, () => false), { sink: { fd: 9 } });
  t.same(z.parse(NOWHERE.schema, { kind: 'nowhere' }), { kind: 'nowhere' });
});
