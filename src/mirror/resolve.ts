/** Finds the PF and the VF that a person has named. */
import { UsageError } from '../errors.js';
import type { PfFacts, Selector, SourceSelector, VfFacts } from './controller.js';

/**
 * Finds the source VF.
 * @throws UsageError that names what there is
 */
export function resolveSource(source: SourceSelector, pfs: readonly PfFacts[]): VfFacts {
  const among = source.pf ? resolvePf(source.pf, pfs).vfs : pfs.flatMap((pf) => pf.vfs);
  return pick(source.vf, among, source.pf ? 'this PF' : 'the PFs');
}

/**
 * Finds the target VF, on the PF of the source.
 * @throws UsageError
 */
export function resolveTarget(target: Selector, source: VfFacts, pfs: readonly PfFacts[]): VfFacts {
  const among = pfs.filter(({ pf }) => pf === source.pf).flatMap(({ vfs }) => vfs);
  const found = pick(target, among, `PF ${source.pf}, where the source is`);
  if (found.vf !== source.vf) return found;
  throw new UsageError(`the target is the source: ${describeVf(source)}`, {
    subject: describeVf(source),
    hint: `choose another VF of PF ${source.pf}${listVfs(among.filter(({ vf }) => vf !== source.vf))}`,
  });
}

/**
 * Finds a PF. The name of a VF stands for its PF.
 * @throws UsageError
 */
export function resolvePf(selector: Selector, pfs: readonly PfFacts[]): PfFacts {
  const found = pfs.find((pf) => {
    if (selector.kind === 'number') return pf.pf === selector.number;
    return selector.kind === 'pci' ? pf.pci === selector.address : pf.vfs.some(({ name }) => name === selector.name);
  });
  if (found) return found;
  const known = pfs.map(({ pf, pci }) => (pci ? `${pf} (${pci})` : String(pf))).join(', ');
  throw new UsageError(`there is no PF ${describeSelector(selector)}`, {
    subject: describeSelector(selector),
    hint: known ? `there are: ${known}` : 'dpcap mirror capabilities shows what there is',
  });
}

function pick(selector: Selector, among: readonly VfFacts[], where: string): VfFacts {
  const found = among.filter((vf) => {
    if (selector.kind === 'number') return vf.vf === selector.number;
    return selector.kind === 'pci' ? vf.pci === selector.address : vf.name === selector.name;
  });
  const [first, second] = found;
  if (first && !second) return first;
  const name = describeSelector(selector);
  if (second) {
    throw new UsageError(`there are several VFs ${name}`, { subject: name, hint: `choose one${listVfs(found)}` });
  }
  throw new UsageError(`VF ${name} is not managed on ${where}`, {
    subject: name,
    hint: `configured${listVfs(among)}; add its VF configuration first`,
  });
}

function listVfs(vfs: readonly VfFacts[]): string {
  return vfs.length > 0 ? `: ${vfs.map(describeVf).join(', ')}` : ': none';
}

export function describeSelector(selector: Selector): string {
  if (selector.kind === 'number') return String(selector.number);
  return selector.kind === 'pci' ? selector.address : selector.name;
}

/** `VF 1 of PF 0 (guest_a, 0000:08:10.1)`. */
export function describeVf({ pf, vf, name, pci }: Pick<VfFacts, 'pf' | 'vf'> & Partial<VfFacts>): string {
  const about = [name, pci].filter((one) => one !== undefined);
  return `VF ${vf} of PF ${pf}${about.length > 0 ? ` (${about.join(', ')})` : ''}`;
}
