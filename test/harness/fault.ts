/** Faults at named points of the engine, by its test-only variable DPCAP_FAULT. */
import { type Joinable, LiveCapture } from './capture.js';
import { startDpcap } from './processes.js';

/** What the engine passes while it starts, in this order. */
export const START_POINTS = [
  'attach.begin',
  'attach.end',
  'record.reserved',
  'pool.piece',
  'pool.made',
  'rings.made',
  'enable.sent',
  'enable.done',
  'opened',
] as const;

/** While it ends. */
export const STOP_POINTS = [
  'disable.sent',
  'disable.done',
  'free.begin',
  'free.piece',
  'free.pool',
  'free.record',
] as const;

/** While a recovery clears what a dead engine left. */
export const RECOVERY_POINTS = [
  'recover.claimed',
  'recover.disabled',
  'recover.free.piece',
  'recover.free.record',
] as const;

/** What an engine passes that captures through an agent. */
export const AGENT_POINTS = [
  'agent.connected',
  'agent.answered',
  'agent.prepared',
  'agent.opened',
  'agent.watching',
  'agent.stopping',
  'agent.stopped',
] as const;

/** What an engine passes that captures by probes. */
export const EBPF_POINTS = ['ebpf.loaded', 'ebpf.attached', 'ebpf.stopping'] as const;

/** What `dpcap agent inject` passes, in this order; from the third on the application goes through with it alone. */
export const INJECT_POINTS = [
  'inject.stopped',
  'inject.written',
  'inject.redirected',
  'inject.released',
  'inject.returned',
] as const;

export const FAULT_POINTS = [
  ...START_POINTS,
  ...STOP_POINTS,
  ...RECOVERY_POINTS,
  ...AGENT_POINTS,
  ...EBPF_POINTS,
  ...INJECT_POINTS,
] as const;
export type FaultPoint = (typeof FAULT_POINTS)[number];

/** What happens there: it kills or stops itself, crashes, or waits for so many milliseconds. */
export type FaultAction = 'kill' | 'stop' | 'segv' | `sleep:${number}`;

/** The environment of a dpcap whose engine does `action` the `nth` time that it passes `point` (default: each time). */
export function faultAt(point: FaultPoint, action: FaultAction, nth?: number): NodeJS.ProcessEnv {
  return faultsAt([[point, action, nth]]);
}

/** The same for several points. */
export function faultsAt(
  faults: readonly (readonly [FaultPoint, FaultAction, (number | undefined)?])[],
): NodeJS.ProcessEnv {
  const words = faults.map(([point, action, nth]) => `${point}${nth === undefined ? '' : `@${nth}`}=${action}`);
  return { DPCAP_FAULT: words.join(',') };
}

/** As `startCapture`, in an environment, and with the default amount of memory unless ARGS have `-B`. */
export function startCaptureIn(env: NodeJS.ProcessEnv, primary: Joinable, args: string[]): LiveCapture {
  const common = ['--stats', 'ndjson', '--stats-interval', '0.1', '--file-prefix', primary.prefix];
  const process = startDpcap([...common, ...args], { env });
  process.closeStdin();
  return new LiveCapture(process);
}
