/** All kinds of changes that dpcap makes elsewhere and undoes again. */
import { FORWARD } from '../dpvs/undo.js';
import { MIRROR } from '../mirror/undo.js';
import type { ChangeKind } from './temporary-change.js';

export const CHANGES: readonly ChangeKind[] = [MIRROR, FORWARD];

/** The kind of this name; undefined when another version of dpcap made the entry. */
export function changeKind(name: string): ChangeKind | undefined {
  return CHANGES.find((kind) => kind.name === name);
}
