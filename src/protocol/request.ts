/** A capture as it is asked for: the value that commands make from their words. */
import * as z from 'zod/mini';
import { type CompressionChoice, withoutSuffix } from '../sinks/compression.js';
import type { RotationPlan } from '../sinks/rotation/plan.js';
import type { TunnelPlan } from '../sinks/tunnel/plan.js';
import { MAX_SNAPLEN, type StopConditions } from './limits.js';

/** Where packets go. count: nowhere, because only their number is wanted. */
export type OutputChoice =
  | { kind: 'file'; path: string }
  | { kind: 'stdout' }
  | { kind: 'print' }
  | { kind: 'count' }
  | TunnelPlan;

/**
 * How packets are got out of an application. auto: through its agent where it has one, else pdump. ebpf: by probes of the
 * kernel's, never unless it is asked for, because the application feels each of them.
 */
export const BACKENDS = ['auto', 'agent', 'pdump', 'ebpf'] as const;
export type Backend = (typeof BACKENDS)[number];

/** The formats of a file. */
export const formatSchema = z.enum(['pcap', 'pcapng']);

/** What to capture and how, before a primary or a filter is known. */
export interface CaptureRequest extends StopConditions {
  filePrefix: string | undefined;
  via: Backend;
  /** Share of receive calls that may come back full, percent: above it probes are taken out. 100: they never are. */
  probeBudget: number;
  /** Port ids, device names or "any"; empty: the first port. */
  ports: string[];
  directions: ('rx' | 'tx')[];
  /** Undefined means all queues. */
  queues: number[] | undefined;
  output: OutputChoice;
  format: 'pcap' | 'pcapng';
  /** Undefined for a file that is not compressed. */
  compression: CompressionChoice | undefined;
  nanoseconds: boolean;
  mode: 'plain' | 'stamped';
  snaplen: number;
  /** Undefined: there is one file. */
  rotation: RotationPlan | undefined;
  /** See EnginePlan.minFree. */
  minFree: number | undefined;
  /** Whether packets go to the output at once, instead of within 20 ms. */
  packetBuffered: boolean;
  /** What a pcapng file is to say of itself, beside what dpcap says. */
  comments: string[];
  /** Memory for copies in the primary's huge pages, bytes. Undefined means the default. */
  bufferBytes: number | undefined;
  /** The number of drain threads. Undefined means as many as queues and CPUs allow. */
  threads: number | undefined;
  stats: 'text' | 'ndjson' | 'none';
  statsIntervalMs: number;
  quiet: boolean;
  /** Whether ordinary mempools are evidence enough for the order of the primary's mempool handlers. */
  trustMempools: boolean;
}

/** The values that hold unless something else is asked for. */
export const DEFAULT_REQUEST: Readonly<CaptureRequest> = {
  filePrefix: undefined,
  via: 'auto',
  probeBudget: 50,
  ports: [],
  directions: ['rx', 'tx'],
  queues: undefined,
  output: { kind: 'print' },
  format: 'pcap',
  compression: undefined,
  nanoseconds: true,
  mode: 'stamped',
  snaplen: MAX_SNAPLEN,
  packetBuffered: false,
  comments: [],
  packetLimit: 0,
  byteLimit: 0,
  durationMs: undefined,
  rotation: undefined,
  minFree: undefined,
  bufferBytes: undefined,
  threads: undefined,
  stats: 'text',
  statsIntervalMs: 1000,
  quiet: false,
  trustMempools: false,
};

/** The format of a file by its name, to which the suffix of a compression may have been added. */
export function formatOf(path: string): CaptureRequest['format'] {
  return withoutSuffix(path).endsWith('.pcapng') ? 'pcapng' : 'pcap';
}
