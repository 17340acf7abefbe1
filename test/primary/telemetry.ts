import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import fc from 'fast-check';
import t from 'tap';
import {
  ealParams,
  memzonesByTelemetry,
  parsePort,
  ports,
  reception,
  telemetrySocket,
  unwrap,
} from '../../src/primary/telemetry.js';
import { fakeHost } from './helpers/fake-host.js';

const SOCKET = '/r/rte/dpdk_telemetry.v2';
const INFO = {
  name: 'net_null0',
  port_id: 0,
  mtu: 1500,
  nb_rx_queues: 2,
  nb_tx_queues: 1,
  mac_addr: 'BA:93:14:DF:DC:4A',
  promiscuous: 1,
  dev_started: 1,
  something_new: [1, 2],
};
const LINK = { status: 'UP', speed: 10000, duplex: 'full-duplex' };

t.test('what a port has received and missed', async (t) => {
  const host = fakeHost({
    answers: {
      [SOCKET]: {
        '/ethdev/stats,0': { ipackets: 7, opackets: 1, imissed: 2, q_ipackets: [7] },
        '/ethdev/stats,1': { ipackets: 7 },
      },
    },
  });
  t.same(reception(SOCKET, 0, host), { received: 7, missed: 2 });
  t.equal(reception(SOCKET, 1, host), undefined, 'it does not tell all of it');
  t.equal(reception(SOCKET, 2, host), undefined);
});

t.test('ports', async (t) => {
  const host = fakeHost({
    answers: {
      [SOCKET]: {
        '/ethdev/list': [0, 3, 9],
        '/ethdev/info,0': INFO,
        '/ethdev/link_status,0': LINK,
        '/ethdev/info,3': { name: 'net_tap1', mtu: 'x', promiscuous: 'off' },
      },
    },
  });
  const found = ports(SOCKET, host);
  t.same(found?.[0], {
    id: 0,
    name: 'net_null0',
    driver: undefined,
    mac: 'ba:93:14:df:dc:4a',
    mtu: 1500,
    rxQueues: 2,
    txQueues: 1,
    promiscuous: true,
    started: true,
    link: 'up',
    speedMbps: 10000,
  });
  t.match(found?.[1], { id: 3, name: 'net_tap1', mtu: undefined, promiscuous: false, link: undefined });
  t.equal(found?.length, 2, 'a port that was removed meanwhile is left out');
  t.equal(host.connections.length, 3, 'one connection for all ports and question');
});

t.test('telemetry that is absent is undefined, not an error', async (t) => {
  t.equal(ports(SOCKET, fakeHost()), undefined);
  t.equal(ealParams(SOCKET, fakeHost()), undefined);
  t.equal(memzonesByTelemetry(SOCKET, fakeHost()), undefined);
  t.same(ports(SOCKET, fakeHost({ answers: { [SOCKET]: { '/ethdev/list': [] } } })), []);
  t.equal(ports(SOCKET, fakeHost({ answers: { [SOCKET]: {} } })), undefined, '"null" for the list');
});

t.test('memzones and arguments', async (t) => {
  const answers = {
    '/eal/memzone_list': [0, 1],
    '/eal/memzone_info,0': { Zone: 0, Name: 'rte_pdump_stats' },
    '/eal/params': ['app', '-l', '0'],
  };
  const host = fakeHost({ answers: { [SOCKET]: answers } });
  t.same(memzonesByTelemetry(SOCKET, host), ['rte_pdump_stats']);
  t.same(ealParams(SOCKET, host), ['app', '-l', '0']);
});

t.test('the socket of a process is told by its pid, also from outside a container', async (t) => {
  const runtimeDir = t.testdir({ 'dpdk_telemetry.v2': '', 'dpdk_telemetry.v2:1': '', other: '' });
  const path = (name: string): string => join(runtimeDir, name);
  const info = (pid: number): Record<string, unknown> => ({ '/info': { version: 'DPDK 22.11.11', pid } });
  const host = fakeHost({ answers: { [path('dpdk_telemetry.v2')]: info(7), [path('dpdk_telemetry.v2:1')]: info(1) } });
  const of = (...namespacePids: number[]): string | undefined =>
    telemetrySocket({ runtimeDir, process: { namespacePids } }, host);
  t.equal(of(7), path('dpdk_telemetry.v2'));
  t.equal(of(5000, 1), path('dpdk_telemetry.v2:1'));
  t.equal(of(8), undefined);
  t.equal(telemetrySocket({ runtimeDir, process: undefined }, host), path('dpdk_telemetry.v2'));
});

const LINKS: [string, unknown, object][] = [
  ['down', { status: 'DOWN', speed: 0 }, { link: 'down', speedMbps: undefined }],
  ['unknown speed', { status: 'UP', speed: 0xffffffff }, { link: 'up', speedMbps: undefined }],
  ['no answer', null, { link: undefined, speedMbps: undefined }],
];
for (const [name, answer, expected] of LINKS) {
  t.match(parsePort(0, JSON.stringify({ a: INFO }), JSON.stringify({ a: answer })), expected, `link: ${name}`);
}

t.test('any answer is read without a throw', async (t) => {
  const answers = fc.oneof(
    fc.string(),
    fc.json(),
    fc.jsonValue().map((value) => JSON.stringify({ '/x': value })),
  );
  fc.assert(
    fc.property(answers, answers, (info, link) => {
      unwrap(info);
      const port = parsePort(1, info, link);
      return port === undefined || (port.id === 1 && port.name !== '');
    }),
    { numRuns: 1000 },
  );
  t.pass('ports have a name or are left out');
});

t.test('stray files are not asked', async (t) => {
  const runtimeDir = t.testdir();
  writeFileSync(join(runtimeDir, 'dpdk_telemetry.v1'), '');
  const host = fakeHost();
  t.equal(telemetrySocket({ runtimeDir, process: undefined }, host), undefined);
  t.same(host.connections, []);
});
