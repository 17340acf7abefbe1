/** Where packets go, as the supervisor decides and the engine is told. */
import type { OutputPlan } from './registry.js';

/** An output, and what goes with it. */
export interface OutputTarget {
  to: Extract<OutputPlan, { kind: 'file' | 'device' | 'fd' }>;
  /** The descriptor of this process that the engine inherits for it. */
  inherits?: number;
  /** What is unusual about it, for people. */
  note?: string;
}
