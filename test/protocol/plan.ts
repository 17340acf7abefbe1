import t from 'tap';
import { nativePlan } from '../../src/engine/native-plan.js';
import type { Port } from '../../src/native/primary-binding.js';
import type { InputHandle } from '../../src/native/reader-binding.js';
import { selectLanes, selectPorts } from '../../src/protocol/lanes.js';
import { type EnginePlan, planSchema } from '../../src/protocol/plan.js';
import { PLAN } from '../engine/helpers/plan.js';

const PORTS: Port[] = [
  { id: 0, name: 'net_null0', rxQueues: 2, txQueues: 1 },
  { id: 3, name: '0000:06:00.0', rxQueues: 1, txQueues: 4 },
];

const lanes = (change: Partial<EnginePlan>): string[] =>
  selectLanes({ ...PLAN, ...change }, PORTS).map((l) => `${l.port}/${l.queue}/${l.direction}/${l.interface}`);

t.test('lanes', async (t) => {
  t.same(lanes({}), ['0/0/rx/0', '0/1/rx/0', '0/0/tx/0'], 'the first port by default');
  t.same(lanes({ ports: ['3'], directions: ['rx'] }), ['3/0/rx/0'], 'a port by id, its interface counted from 0');
  t.same(lanes({ ports: ['0000:06:00.0'], directions: ['rx'] }), ['3/0/rx/0'], 'a port by name');
  t.same(lanes({ ports: ['any'], directions: ['rx'] }), ['0/0/rx/0', '0/1/rx/0', '3/0/rx/1'], 'any');
  t.same(lanes({ ports: ['0', 'net_null0'], directions: ['tx'] }), ['0/0/tx/0'], 'a port named twice is one');
  t.same(lanes({ ports: ['any'], queues: [1] }), ['0/1/rx/0', '3/1/tx/1'], 'a queue that only some have');
});

t.test('refusals', async (t) => {
  t.throws(() => lanes({ ports: ['7'] }), {
    code: 'ERR_PORT_UNKNOWN',
    exitCode: 2,
    hint: /0 \(net_null0\), 3 \(0000:06:00.0\)/,
  });
  t.throws(() => lanes({ queues: [9] }), { code: 'ERR_QUEUE_RANGE', exitCode: 2, hint: /2 rx and 1 tx/ });
  t.throws(() => selectPorts([], []), { code: 'ERR_PORT_UNKNOWN' });
});

t.test('the plan crosses a process boundary as it is', async (t) => {
  t.same(planSchema.parse(structuredClone(PLAN)), PLAN);
  t.throws(() => planSchema.parse({ ...PLAN, snaplen: 0 }));
  t.throws(() => planSchema.parse({ ...PLAN, surprise: 1 }));
  const native = nativePlan(
    { ...PLAN, program: Buffer.from('12345678').toString('base64'), cpus: [3] },
    [],
    { kind: 'file', fd: 5 },
    { ports: PORTS, usableBytes: 2 ** 33 },
  );
  t.equal(Buffer.from(native.program).toString(), '12345678');
  t.match(native, {
    sink: { fd: 5 },
    cpus: [3],
    mbufs: 32767,
    mostMbufs: 32767,
    mode: 'stamped',
    interfaces: [{ name: 'net_null0', description: /port 0 of dpdk-testpmd/ }],
  });
});

t.test('the file says which clock stamped its packets', async (t) => {
  const agent = { processes: [], memory: 1 };
  const comment = (change: object): string | undefined =>
    nativePlan({ ...PLAN, ...change }, [], { kind: 'file', fd: 5 }, { ports: PORTS, usableBytes: 2 ** 33 }).info
      .comments[0];
  t.match(comment({ mode: 'stamped' }), /taken by the primary/);
  t.match(comment({ mode: 'host' }), /took the copy from its ring/);
  t.match(comment({ mode: 'host', agent }), /taken by the primary/, 'an agent knows no other way');
});

t.test('copies into an interface are stamped only where something is sorted', async (t) => {
  const output = { kind: 'tap' as const, rxName: 'a', txName: 'a', netns: '', mtu: 1500, maxRate: 0, queues: 1 };
  const lanes = selectLanes({ ...PLAN, ports: ['0'], directions: ['rx', 'tx'], queues: [0] }, PORTS);
  const sink = { kind: 'frames' as const, queues: [{ rxFd: 5, txFd: 5 }], maxRate: 0 };
  const around = { ports: PORTS, usableBytes: 2 ** 33 };
  const modeOf = (some: typeof lanes): string => nativePlan({ ...PLAN, output }, some, sink, around).mode;
  t.ok(lanes.length > 1);
  t.equal(modeOf(lanes), 'stamped');
  t.equal(modeOf(lanes.slice(0, 1)), 'plain');
});

t.test('what ports have of their own', async (t) => {
  const base64 = (text: string): string => Buffer.from(text).toString('base64');
  const rules = [
    { expression: 'tcp', program: base64('12345678'), snaplen: 96 },
    { expression: '', program: '', snaplen: 262144 },
  ];
  const of = (ports: string[], portRules = rules) =>
    nativePlan({ ...PLAN, ports, portRules }, [], { kind: 'file', fd: 5 }, { ports: PORTS, usableBytes: 2 ** 33 });
  t.same(planSchema.parse({ ...PLAN, portRules: rules }).portRules, rules);
  t.match(of(['3', '0']).interfaces, [
    { name: '0000:06:00.0', filter: 'tcp', snaplen: 96, program: Buffer.from('12345678') },
    { name: 'net_null0', filter: '', snaplen: 262144, program: Buffer.alloc(0) },
  ]);
  t.throws(() => of(['0', 'net_null0']), { exitCode: 2, message: /-i 0 and -i net_null0 are one port/ });
  t.equal(
    of(['0', 'net_null0'], [rules[0], rules[0]] as typeof rules).interfaces.length,
    1,
    'named twice for the same',
  );
});

t.test('interfaces of a file that is read keep their snaplens', async (t) => {
  const interfaces = [96, 0, 262144].map((snaplen, at) => {
    return { name: `i${at}`, description: '', filter: 'udp', linkType: 1, snaplen, options: new Uint8Array([1]) };
  });
  const input = {
    format: 'pcapng' as const,
    codec: 'none' as const,
    comment: '',
    interfaces,
    handle: {} as InputHandle,
  };
  const read = (snaplen: number): number[] => {
    const plan: EnginePlan = { ...PLAN, snaplen, input: { name: 'x', skip: 0, limit: 0 }, expression: 'tcp' };
    const native = nativePlan(plan, [], { kind: 'file', fd: 5 }, { ports: PORTS, usableBytes: 2 ** 33, input });
    t.match(native.interfaces[0], { filter: '(udp) and (tcp)', options: new Uint8Array([1]) });
    return [...native.interfaces.map((one) => one.snaplen ?? 0), native.snaplen];
  };
  t.same(read(262144), [96, 262144, 262144, 262144]);
  t.same(read(128), [96, 128, 128, 128]);
});
