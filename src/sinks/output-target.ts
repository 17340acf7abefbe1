/** Where packets go, as the supervisor decides it for the engine. */
import type { OutputPlan } from './registry.js';
import type { TunnelPlan } from './tunnel/plan.js';

/** An output, and what belongs to it. */
export interface OutputTarget {
  to: Extract<OutputPlan, { kind: 'file' | 'device' | 'fd' }>;
  /** The descriptor of this process that the engine inherits for it. */
  inherits?: number;
  /** What is unusual about the output, for people. */
  note?: string;
}

/** Where a capture's packets go: an output of bytes, or a tunnel. */
export type CaptureTarget = Omit<OutputTarget, 'to'> & { to: OutputTarget['to'] | TunnelPlan };
