/** A plan to vary. */
import type { EnginePlan } from '../../../src/protocol/plan.js';

export const PLAN: EnginePlan = {
  filePrefix: 'rte',
  runtimeDir: '/var/run/dpdk/rte',
  primaryPid: 4711,
  dpdk: { number: 0x160b0b63, text: '22.11.11', libraries: [] },
  primaryMemory: { isFixed: false },
  primaryName: 'dpdk-testpmd, pid 4711',
  ports: [],
  directions: ['rx', 'tx'],
  expression: '',
  program: '',
  output: { kind: 'file', path: 'x.pcap', unfinished: 'x.pcap.partial' },
  format: 'pcap',
  nanoseconds: true,
  mode: 'stamped',
  snaplen: 262144,
  packetLimit: 0,
  byteLimit: 0,
  mempool: { dataRoom: 2248, bytes: 80 * 1024 * 1024, mayGrow: false },
  threads: 1,
  cpus: [],
  statsIntervalMs: 1000,
  purpose: 'test',
};
