/** The seam for whoever can switch mirroring on: VFd today, a plan for people, later a plugin of ours in any primary. */

/** From the guest's view: what the VF receives, what it sends, both. */
export const DIRECTIONS = ['in', 'out', 'all'] as const;
export type Direction = (typeof DIRECTIONS)[number];

/** A VF by its numbers: the PF's port number in the controller, the VF's on that PF. */
export interface VfId {
  pf: number;
  vf: number;
}

/** One mirror: the traffic of a VF, copied to another VF of the same PF. */
export interface Mirror extends VfId {
  direction: Direction;
  target: number;
}

/** How a person names a PF or a VF: a number, a PCI address or the name of a VF configuration. */
export type Selector =
  | { kind: 'number'; number: number }
  | { kind: 'pci'; address: string }
  | { kind: 'name'; name: string };

/** The source as typed. The PF may be left out when the VF's address or name says it. */
export interface SourceSelector {
  pf: Selector | undefined;
  vf: Selector;
}

export interface SetRequest {
  source: SourceSelector;
  direction: Direction;
  target: Selector;
  /** Go ahead where the result is doubtful, never where the daemon would be harmed. */
  force: boolean;
  /** Through the VF's configuration, which interrupts its traffic. */
  byConfig: boolean;
}

/** A PF or VF with what is known about it. */
export interface VfFacts extends VfId {
  pci: string | undefined;
  name: string | undefined;
  /** Undefined: no configuration of it could be read. */
  allowsUnknownUnicast: boolean | undefined;
  vlans: number[];
  macs: string[];
  link: string | undefined;
  /** Its configuration holds a mirror. */
  configuredMirror: boolean;
  /** Counters by column, as the controller names them. */
  counters: Record<string, string>;
}

export interface PfFacts {
  pf: number;
  pci: string | undefined;
  /** Undefined: not recognised. */
  driver: string | undefined;
  /** Whether traffic between VFs stays in the NIC; without it nothing the guest sends reaches the target. */
  loopback: boolean | undefined;
  directions: Direction[];
  /** What surprises on this NIC, for people. */
  notes: string[];
  vfs: VfFacts[];
}

export interface Capabilities {
  controller: string;
  /** Version and such, for people. */
  about: string;
  canChange: boolean;
  pfs: PfFacts[];
  notes: string[];
}

/** What is about to be done. */
export interface Preview {
  mirror: Mirror;
  source: VfFacts;
  target: VfFacts;
  /** What is mirrored from this VF now. */
  previous: Mirror | undefined;
  /** It is as asked already. */
  unchanged: boolean;
  /** Said before anything is done. */
  warnings: string[];
  /** The traffic of the VF stops for a moment. */
  interrupts: boolean;
  /** For the journal: undoes it (undo.ts). */
  undo: unknown;
}

/** Called after all checks and before the first change. When it throws, nothing has been changed. */
export type BeforeChange = (preview: Preview) => void | Promise<void>;

export type SetOutcome =
  | { effect: 'set' | 'unchanged'; preview: Preview; warnings: string[]; backup?: string | undefined }
  | { effect: 'planned'; steps: PlanStep[]; notes: string[] };

/** Commands for a person, in order. */
export interface PlanStep {
  /** Where or under which condition. */
  title: string;
  commands: string[];
  notes: string[];
}

export interface ClearOptions {
  /** Through the VF's configuration, which interrupts its traffic. */
  byConfig: boolean;
  /** Called before the traffic is interrupted, with what undoes it; when it throws, nothing has been changed. */
  before?: ((undo: unknown, mirror: Mirror) => void | Promise<void>) | undefined;
}

export type ClearOutcome =
  | {
      effect: 'cleared' | 'unchanged';
      source: VfId;
      was: Mirror | undefined;
      warnings: string[];
      /** The configuration as it was. */
      backup?: string | undefined;
    }
  | { effect: 'planned'; steps: PlanStep[]; notes: string[] };

/** One way of having VFs mirrored. Rejects with DpcapError; prints nothing. */
export interface MirrorController {
  readonly kind: 'vfd' | 'plan';
  capabilities(): Promise<Capabilities>;
  /** All mirrors that are on. */
  list(): Promise<Mirror[]>;
  /** The mirror of one VF, with what is known about the VF. */
  status(source: SourceSelector): Promise<{ source: VfFacts; mirror: Mirror | undefined }>;
  set(request: SetRequest, before: BeforeChange): Promise<SetOutcome>;
  /** Idempotent: a VF without mirror is no error. */
  clear(source: SourceSelector, options: ClearOptions): Promise<ClearOutcome>;
}

/** Whether two mirrors are the same. */
export function isSameMirror(a: Mirror | undefined, b: Mirror | undefined): boolean {
  return a?.pf === b?.pf && a?.vf === b?.vf && a?.direction === b?.direction && a?.target === b?.target;
}
