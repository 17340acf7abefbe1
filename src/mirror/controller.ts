/**
 * The interface of whatever can switch mirroring of VFs on: VFd, or a plan for people. Mirrors of ports are the agent's
 * (agent/controller.ts).
 */

/** Directions as the guest sees them: what the VF receives, what it sends, or both. */
export const DIRECTIONS = ['in', 'out', 'all'] as const;
export type Direction = (typeof DIRECTIONS)[number];

/** A VF by its numbers: the PF's port number in the controller, and the VF's number on that PF. */
export interface VfId {
  pf: number;
  vf: number;
}

/** One mirror: the traffic of a VF is copied to another VF of the same PF. */
export interface Mirror extends VfId {
  direction: Direction;
  target: number;
}

/** How a person names a PF or a VF: a number, a PCI address or the name of a VF configuration. */
export type Selector =
  | { kind: 'number'; number: number }
  | { kind: 'pci'; address: string }
  | { kind: 'name'; name: string };

/** The source VF as the user typed it. The PF may be left out when the VF's address or name tells which it is. */
export interface SourceSelector {
  pf: Selector | undefined;
  vf: Selector;
}

export interface SetRequest {
  source: SourceSelector;
  direction: Direction;
  target: Selector;
  /** Go ahead where the result is doubtful. What would harm the daemon is still refused. */
  force: boolean;
  /** Use the VF's configuration, which interrupts the VF's traffic. */
  byConfig: boolean;
}

/** A VF with what is known about it. */
export interface VfFacts extends VfId {
  pci: string | undefined;
  name: string | undefined;
  /** Undefined when no configuration of the VF could be read. */
  allowsUnknownUnicast: boolean | undefined;
  vlans: number[];
  macs: string[];
  link: string | undefined;
  /** Whether the VF's configuration holds a mirror. */
  configuredMirror: boolean;
  /** Counters by column, as the controller names them. */
  counters: Record<string, string>;
}

export interface PfFacts {
  pf: number;
  pci: string | undefined;
  /** Undefined when the NIC is not recognised. */
  driver: string | undefined;
  /** Whether traffic between VFs stays in the NIC. If not, nothing that the guest sends reaches the target VF. */
  loopback: boolean | undefined;
  directions: Direction[];
  /** What may surprise people on this NIC, as text. */
  notes: string[];
  vfs: VfFacts[];
}

export interface Capabilities {
  controller: string;
  /** Version and the like, as text for people. */
  about: string;
  canChange: boolean;
  pfs: PfFacts[];
  notes: string[];
}

/** The change that is about to be made. */
export interface Preview {
  mirror: Mirror;
  source: VfFacts;
  target: VfFacts;
  /** The mirror that this VF has now. */
  previous: Mirror | undefined;
  /** Whether the mirror is already as requested. */
  unchanged: boolean;
  /** Warnings that are shown before anything is changed. */
  warnings: string[];
  /** Whether the traffic of the VF stops for a moment. */
  interrupts: boolean;
  /** What the journal keeps to undo the change (undo.ts). */
  undo: unknown;
}

/** The controller calls this after all checks and before the first change. When it throws, nothing has been changed. */
export type BeforeChange = (preview: Preview) => void | Promise<void>;

export type SetOutcome =
  | { effect: 'set' | 'unchanged'; preview: Preview; warnings: string[]; backup?: string | undefined }
  | { effect: 'planned'; steps: PlanStep[]; notes: string[] };

/** Commands for a person to enter, in this order. */
export interface PlanStep {
  /** Where the commands apply, or under which condition. */
  title: string;
  commands: string[];
  notes: string[];
}

export interface ClearOptions {
  /** Use the VF's configuration, which interrupts the VF's traffic. */
  byConfig: boolean;
  /**
   * Called before the traffic is interrupted, with what undoes the change. When it throws, nothing has been changed.
   */
  before?: ((undo: unknown, mirror: Mirror) => void | Promise<void>) | undefined;
}

export type ClearOutcome =
  | {
      effect: 'cleared' | 'unchanged';
      source: VfId;
      was: Mirror | undefined;
      warnings: string[];
      /** Path of a backup of the configuration as it was. */
      backup?: string | undefined;
    }
  | { effect: 'planned'; steps: PlanStep[]; notes: string[] };

/** The mirror of a VF, if it has one, with what is known about the VF. */
export interface VfStatus {
  source: VfFacts;
  mirror: Mirror | undefined;
}

/** One way to mirror VFs. The methods reject with a DpcapError, and print nothing. */
export interface MirrorController {
  readonly kind: 'vfd' | 'plan';
  capabilities(): Promise<Capabilities>;
  /** All mirrors that are on. */
  list(): Promise<Mirror[]>;
  status(source: SourceSelector): Promise<VfStatus>;
  set(request: SetRequest, before: BeforeChange): Promise<SetOutcome>;
  /** Idempotent: a VF without a mirror is not an error. */
  clear(source: SourceSelector, options: ClearOptions): Promise<ClearOutcome>;
}

/** Whether two mirrors are the same. */
export function isSameMirror(a: Mirror | undefined, b: Mirror | undefined): boolean {
  return a?.pf === b?.pf && a?.vf === b?.vf && a?.direction === b?.direction && a?.target === b?.target;
}
