/** All kinds of changes that dpcap makes elsewhere and undoes again. */
import { FORWARD } from '../dpvs/undo.js';
import { AGENT_MIRROR } from '../mirror/agent/undo.js';
import { FLOW_MIRROR } from '../mirror/hardware/undo.js';
import { MIRROR } from '../mirror/undo.js';
import { UNFINISHED } from '../sinks/rotation/undo.js';
import type { ChangeKind } from './temporary-change.js';

export const CHANGES: readonly ChangeKind[] = [MIRROR, AGENT_MIRROR, FLOW_MIRROR, FORWARD];

/** What nobody undoes, and a person has to hear of: this is for `dpcap recover` alone. */
const NOTES: readonly ChangeKind[] = [UNFINISHED];

/** The kind of this name that the watchdog undoes. */
export function changeKind(name: string): ChangeKind | undefined {
  return CHANGES.find((kind) => kind.name === name);
}

/** The kind of this name, for `dpcap recover`; undefined when another version of dpcap made the entry. */
export function recoveredKind(name: string): ChangeKind | undefined {
  return [...CHANGES, ...NOTES].find((kind) => kind.name === name);
}
