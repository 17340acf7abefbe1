/**
 * Checks what must be true before VFd is asked for a mirror, since VFd does not: refusals and warnings. Pure functions.
 */
import { DpcapError } from '../../errors.js';
import type { Mirror, VfFacts } from '../controller.js';
import { vfdAbility } from '../nic.js';
import { describeVf } from '../resolve.js';
import type { VfdPf } from './inventory.js';
import { MAX_VF } from './protocol/request-check.js';

export interface MirrorCase {
  mirror: Mirror;
  source: VfFacts;
  target: VfFacts;
  pf: VfdPf;
  force: boolean;
  byConfig: boolean;
}

/**
 * Refuses what cannot work or would be misunderstood, and warns of what may surprise people.
 * @returns warnings
 * @throws DpcapError ERR_MIRROR_UNSAFE
 */
export function judgeMirror(one: MirrorCase): string[] {
  if (one.mirror.target > MAX_VF) throw unsafe(one, `VFd knows targets up to ${MAX_VF}`, undefined);
  return [...judgeNic(one), ...judgeLoopback(one), ...warnTarget(one)];
}

function judgeNic(one: MirrorCase): string[] {
  const { byCommand, byConfig, notes } = vfdAbility(one.pf.nic);
  const possible = one.byConfig ? byConfig : byCommand;
  if (possible.includes(one.mirror.direction) || one.force) return notes;
  const other = possible.length > 0 ? `use --direction ${possible.join(' or ')}` : undefined;
  const hint = byCommand.length === 0 && byConfig.length > 0 ? 'use --by-config' : other;
  throw unsafe(one, notes[0] ?? 'the NIC cannot do it', hint ?? 'dpcap mirror plan shows other ways');
}

/** What a VF sends reaches another VF only when the NIC loops it back. */
function judgeLoopback(one: MirrorCase): string[] {
  if (one.mirror.direction === 'in') return [];
  const { loopback, pci } = one.pf;
  if (loopback === undefined)
    return [`whether PF ${one.pf.pf} loops traffic back is not known (enable_loopback in vfd.cfg)`];
  if (loopback) return [];
  const why = `enable_loopback is false for ${pci}: what the guest sends would not be seen at the target`;
  if (one.force) return [why];
  throw unsafe(one, why, 'set enable_loopback for this PF in vfd.cfg and restart VFd, use --direction in, or --force');
}

function warnTarget({ target }: MirrorCase): string[] {
  if (target.allowsUnknownUnicast === true) {
    return [
      `allow_un_ucast is true for the target ${describeVf(target)}: it must be false, or mirroring does not work`,
    ];
  }
  return target.link === 'DOWN' ? [`the target ${describeVf(target)} is down: bring its interface up`] : [];
}

function unsafe({ mirror, source }: MirrorCase, why: string, hint: string | undefined): DpcapError {
  const message = `cannot mirror ${describeVf(source)} (${mirror.direction}): ${why}`;
  return new DpcapError('ERR_MIRROR_UNSAFE', message, { subject: describeVf(source), hint });
}
