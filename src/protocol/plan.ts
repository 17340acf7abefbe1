/** The plan of a capture: a frozen value, made from options before anything is attached; the engine carries it out. */
import * as z from 'zod/mini';
import { compressionSchema } from '../sinks/compression.js';
import { outputSchema } from '../sinks/registry.js';
import { rotationSchema } from '../sinks/rotation/plan.js';
import { MAX_THREADS, stopConditions } from './limits.js';
import { filterSchema, portRuleSchema, snaplenSchema } from './port-rules.js';

/** What the engine is told. It holds only JSON values, crosses a process boundary and is checked on arrival. */
export const planSchema = z.strictObject({
  filePrefix: z.string(),
  runtimeDir: z.string(),
  /** Undefined when the primary lives in another PID namespace. */
  primaryPid: z.optional(z.int().check(z.positive())),
  /** When the primary started, clock ticks since boot. With the pid, it identifies that very process. */
  primaryStartTicks: z.optional(z.int()),
  /** See Dpdk of native/addons.ts. */
  dpdk: z.strictObject({
    number: z.int(),
    text: z.string(),
    libraries: z.array(z.string()),
    isLean: z.optional(z.boolean()),
  }),
  /** The application's agents to capture through, and the memory for their copies; undefined: through pdump. */
  agent: z.optional(
    z.strictObject({
      processes: z
        .array(z.strictObject({ socket: z.string(), pid: z.int().check(z.positive()), startTicks: z.int() }))
        .check(z.minLength(1)),
      memory: z.int().check(z.positive()),
    }),
  ),
  /** The application's processes to set probes in, its ports, and the ring for copies; undefined: another way. */
  ebpf: z.optional(
    z.strictObject({
      processes: z
        .array(
          z.strictObject({
            pid: z.int().check(z.positive()),
            startTicks: z.int(),
            /** Address of its table of drivers' functions, and how many ports that has room for. */
            table: z.int().check(z.positive()),
            rows: z.int().check(z.positive()),
            /** See DeviceTable. */
            devices: z.optional(
              z.strictObject({ address: z.int().check(z.positive()), rowBytes: z.int(), data: z.int() }),
            ),
          }),
        )
        .check(z.minLength(1)),
      /** See FastPathLayout. */
      layout: z.strictObject({
        rowBytes: z.int(),
        rxFunction: z.int(),
        rxQueues: z.int(),
        txFunction: z.int(),
        txQueues: z.int(),
      }),
      ports: z.array(z.strictObject({ id: z.int(), name: z.string(), rxQueues: z.int(), txQueues: z.int() })),
      /** The application's telemetry socket, where it has one. */
      telemetry: z.optional(z.string()),
      memory: z.int().check(z.positive()),
      /** The filter for the kernel, base64: see LoadableProgram.kernel. */
      filter: z.optional(z.strictObject({ program: z.string(), programTx: z.string() })),
      /** See CaptureRequest.probeBudget. */
      budget: z.int().check(z.minimum(1), z.maximum(100)),
    }),
  ),
  /**
   * What is read in place of an application, which is the engine's standard input: its name, how many matching packets
   * are left out first, and how many are taken then (0: all).
   */
  input: z.optional(
    z.strictObject({ name: z.string(), skip: z.int().check(z.nonnegative()), limit: z.int().check(z.nonnegative()) }),
  ),
  /** Whether the primary is a DPVS. */
  isDpvs: z.optional(z.boolean()),
  /** See agreeOnOps. */
  trustMempools: z.optional(z.boolean()),
  /** See MemoryLimits. */
  primaryMemory: z.strictObject({ isFixed: z.boolean(), socketLimitBytes: z.optional(z.number()) }),
  /** "dpdk-testpmd (pid 4711)", for descriptions. */
  primaryName: z.string(),
  ports: z.array(z.string()),
  directions: z.array(z.enum(['rx', 'tx'])).check(z.minLength(1)),
  queues: z.optional(z.array(z.int().check(z.minimum(0), z.maximum(1023)))),
  ...filterSchema,
  /** What each of `ports` has in place of the plan's filter and snaplen; undefined: nothing. */
  portRules: z.optional(z.array(portRuleSchema)),
  output: outputSchema,
  /** Whom the engine becomes (-Z) as soon as everything is open that root alone may open; undefined: it stays as it is. */
  becomes: z.optional(
    z.strictObject({ user: z.string(), uid: z.int().check(z.positive()), gid: z.int().check(z.nonnegative()) }),
  ),
  format: z.enum(['pcap', 'pcapng']),
  /** Of a file; undefined for one that is not compressed. */
  compression: z.optional(compressionSchema),
  nanoseconds: z.boolean(),
  mode: z.enum(['plain', 'stamped']),
  /** Where ports have their own, the largest of these. */
  snaplen: snaplenSchema,
  ...stopConditions,
  /** Of files that follow one another; undefined: there is one. */
  rotation: z.optional(rotationSchema),
  /** The capture ends, or a ring gives up its oldest files, when the disk has less room, bytes. */
  minFree: z.optional(z.int().check(z.positive())),
  /** See CaptureRequest. */
  comments: z.optional(z.array(z.string())),
  /** What is known of ports beside their names, by port id: for descriptions. */
  portDetails: z.optional(z.record(z.string(), z.string())),
  /** Packets go to the output at once, instead of within 20 ms. */
  packetBuffered: z.optional(z.boolean()),
  /** See MempoolPlan. */
  mempool: z.strictObject({ dataRoom: z.int(), bytes: z.int(), mayGrow: z.boolean() }),
  /** The most drain threads. There are no more than queues. */
  threads: z.int().check(z.minimum(1), z.maximum(MAX_THREADS)),
  /** CPUs for the threads that handle packets; empty: any. */
  cpus: z.array(z.int().check(z.nonnegative())),
  /** 0 means that nobody wants to see any but the last statistics. */
  statsIntervalMs: z.int().check(z.nonnegative()),
  /** The command line, for people who find what a dead capture left. */
  purpose: z.string(),
});

export type EnginePlan = Readonly<z.infer<typeof planSchema>>;

/**
 * Whether the engine needs root no more once it has begun. Who joined the primary does: it has to open every huge page that
 * the primary takes, or the primary's allocation fails, and its requests go to a socket in a directory of root's. Whoever
 * sets probes does: it reads the application's memory again when a port is restarted.
 */
export function mayGiveUpRoot(plan: Pick<EnginePlan, 'agent' | 'ebpf' | 'input'>): boolean {
  return plan.agent !== undefined || plan.input !== undefined;
}

/** Whether the engine joins the primary for a plan. Otherwise it holds nothing of the primary's, and can leave nothing. */
export function joinsPrimary(plan: Pick<EnginePlan, 'agent' | 'ebpf' | 'input'>): boolean {
  return plan.agent === undefined && plan.ebpf === undefined && plan.input === undefined;
}
