/** Mirrors in hardware: what is asked for, checked without an application. */
import t from 'tap';
import {
  hardwareRequestFrom,
  type RawHardwareOptions,
  refuseWithoutHardware,
} from '../../../src/cli/commands/mirror/hardware/options.js';
import type { AgentPort } from '../../../src/mirror/agent/request.js';
import { fateText, flowCountersText, flowLines, ruleLines } from '../../../src/mirror/hardware/describe.js';
import { flowOrder, parseFate, type ResolvedFlow, resolveFlow } from '../../../src/mirror/hardware/request.js';
import { undoFlowMirror } from '../../../src/mirror/hardware/undo.js';
import type { FlowStatus } from '../../../src/native/flow-binding.js';

function port(id: number, name: string): AgentPort {
  return { id, name, driver: 'mlx5_pci', mac: '', rxQueues: 2, txQueues: 2, mtu: 1500, linkMbps: 10_000 };
}

const PORTS = [
  port(0, '0000:03:00.0'),
  port(1, '0000:03:00.0_representor_vf1'),
  port(2, '0000:03:00.0_representor_vf11'),
  port(3, 'net_0000:05:00.0_representor_1'),
  port(4, '0000:05:00.0'),
];
const RAW: RawHardwareOptions = { hardware: true, interface: ['0'], toPort: '2', fate: 'jump:1' };
const LEASE = { ownerPid: 7, ownerStartTicks: 8, leaseSeconds: 9 };

/** What is known of an error: one or the other of these. */
type Told = { hint?: RegExp | string; exitCode?: number } & ({ message: RegExp } | { code: string });

/** Also those that are taken away. */
type Changes = { [K in keyof RawHardwareOptions]?: RawHardwareOptions[K] | undefined };

function resolved(changes: Changes, words: readonly string[] = []): ResolvedFlow {
  return resolveFlow(hardwareRequestFrom(words, { ...RAW, ...changes } as RawHardwareOptions), PORTS);
}

t.test('rules of the embedded switch, or of the port', async (t) => {
  t.match(resolved({}), { isTransfer: true, source: { id: 0 }, copy: { kind: 'port', value: 2 }, ratio: 1 });
  t.match(resolved({ fate: 'queue:1' }), { isTransfer: false, fate: { kind: 'queue', value: 1 } });
  t.match(resolved({ toPort: undefined, toQueue: '1' }), { isTransfer: false, copy: { kind: 'queue', value: 1 } });
  t.match(resolved({ vf: '1', fate: 'port:0' }), { through: { id: 0 }, source: { id: 1 }, fate: { value: 0 } });
  t.match(resolved({ interface: ['4'], vf: '1' }), { source: { id: 3 } }, 'as Intel drivers name it');
  t.match(flowOrder(resolved({ host: ['10.0.0.1'] }), 5, LEASE, false), {
    ...LEASE,
    matches: { length: 2 },
    throughDevice: '0000:03:00.0',
    text: /^represented_port ethdev_port_id is 0 \/ eth \/ ipv4 src is 10\.0\.0\.1 or represented_port/,
  });
  const long = flowOrder(resolved({ vlan: ['1-32'] }), 5, LEASE, true);
  t.equal(long.text.length, 511);
  t.match(long, { validatesOnly: true, text: /\.\.\.$/ });
});

t.test('what cannot work is refused', async (t) => {
  const refused = (changes: Changes, error: Told): void => {
    t.throws(() => resolved(changes), error, JSON.stringify(changes));
  };
  refused({ fate: undefined }, { message: /what becomes of the originals/, exitCode: 2 });
  refused({ fate: 'jump:0' }, { message: /no number from 1/ });
  refused({ fate: 'port' }, { message: /says not what becomes/ });
  refused({ fate: 'queue:2' }, { code: 'ERR_QUEUE_RANGE' });
  refused({ fate: 'port:9' }, { code: 'ERR_PORT_UNKNOWN' });
  refused({ toPort: '0' }, { message: /the target is the source/ });
  refused({ toPort: undefined }, { message: /where do the copies go/ });
  refused({ toQueue: '1' }, { message: /--to-port and --to-queue/ });
  refused({ toPort: undefined, toQueue: '1', fate: 'port:0' }, { message: /--fate port with copies to a queue/ });
  refused({ vf: '1', fate: 'queue:0' }, { message: /--vf with originals to a queue/ });
  refused({ vf: '2' }, { code: 'ERR_PORT_UNSUITABLE', hint: /representor=vf\[2\]/ });
  refused({ ratio: '0' }, { message: /--ratio/ });
  refused({ direction: 'tx' }, { message: /what the port receives/ });
  refused({ interface: undefined }, { message: /needs -i/ });
  refused({ interface: ['0', '1'] }, { message: /given twice/ });
  for (const foreign of [{ snapshotLength: '64' }, { byReference: true }, { inner: true }, { expression: ['ip'] }])
    refused(foreign, { message: /with --hardware/, exitCode: 2 });
  t.throws(() => refuseWithoutHardware({ fate: 'drop' }), { message: /--fate is about mirrors in hardware/ });
  t.doesNotThrow(() => refuseWithoutHardware({ toPort: '1' }));
  t.same(parseFate('port:net_null0'), { kind: 'port', port: 'net_null0' });
});

const STATUS: FlowStatus = {
  ...{ id: 31, state: 'ended', reason: 'port-stopped', ownerPid: 7, ownerStartTicks: 8, leaseLeftSeconds: 0 },
  ...{ isTransfer: true, counts: true, ratio: 4, rules: 1, throughPort: 0, throughDevice: 'a', proxyPort: 0 },
  ...{ sourcePort: 1, sourceDevice: 'b', text: 'eth', counters: null },
  fate: { kind: 'drop', value: 0, device: '' },
  copy: { kind: 'queue', value: 3, device: '' },
};

t.test('what is said', async (t) => {
  t.same(flowLines(STATUS), [
    'mirror 0000001f: port 1 (b) in hardware to receive queue 3, one packet in 4; the originals are DROPPED; ended: the port that had the rules was stopped, and its driver has taken them away',
    '  1 transfer rule at port 0: eth',
    '  the driver tells no figures',
  ]);
  t.equal(flowCountersText({ ...STATUS, counters: { packets: 3n, bytes: 180n } }), 'matched 3 packets, 180 bytes');
  t.match(fateText({ fate: { kind: 'jump', value: 2, device: '' } }), /the rules of group 2/);
  t.match(ruleLines(resolved({ count: true })), [/^set sample_actions 0/, /index 0 \/ count \/ jump group 1 \/ end$/]);
});

t.test('a mirror in hardware ends with its application', async (t) => {
  const identity = { pid: 1, startTicks: 1, pidNamespace: 1 };
  const undo = { socket: '/nowhere', id: 31, pid: process.pid, startTicks: 1 };
  const entry = { kind: 'flow-mirror', subject: 'x', ...identity, createdAt: '', undo };
  t.match(await undoFlowMirror({ entry }), /mirror 0000001f in hardware has ended with its application/);
});
