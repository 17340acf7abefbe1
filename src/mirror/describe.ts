/** Describes mirrors in words: whose traffic, in which direction for the guest, where to, and what is not shown. */
import type { Capabilities, Direction, Mirror, PfFacts, PlanStep, Preview, VfFacts } from './controller.js';
import { describeVf } from './resolve.js';

const WAYS: Record<Direction, string> = {
  in: 'what the guest receives',
  out: 'what the guest sends',
  all: 'what the guest receives and what it sends',
};

/** `VF 1 of PF 0 (guest_a) is mirrored to VF 3 ...: what the guest receives`. */
export function sentence({ mirror, source, target }: Preview, verb = 'is mirrored'): string {
  return `${describeVf(source)} ${verb} to ${describeVf(target)}: ${WAYS[mirror.direction]}`;
}

/** Tells what the operator does at the target VF, and what the mirror cannot show. */
export function advice({ mirror, source, target }: Preview): string[] {
  return [
    `at VF ${target.vf}: ip link set dev IFACE up promisc on; tcpdump -i IFACE -nn -e -s 0 -w mirror.pcap (read it later:`,
    `  a slow reader there slows VF ${source.vf} down)`,
    `VF ${target.vf} needs a MAC and a VLAN id of its own${own(target)} and allow_un_ucast false${unicast(target)}`,
    ...notSeen(mirror, source),
  ];
}

function own({ vlans, macs }: VfFacts): string {
  const parts = [
    ...(macs.length > 0 ? [`MAC ${macs.join(', ')}`] : []),
    ...(vlans.length > 0 ? [`VLAN ${vlans.join(', ')}`] : []),
  ];
  return parts.length > 0 ? ` (${parts.join('; ')})` : '';
}

function unicast({ allowsUnknownUnicast: allows }: VfFacts): string {
  if (allows === undefined) return ' (its configuration is not readable here)';
  return allows ? ' (it is TRUE)' : ' (it is)';
}

function notSeen({ direction }: Mirror, source: VfFacts): string[] {
  const vlans = source.vlans.length > 0 ? `other than ${source.vlans.join(', ')}` : 'it is not configured for';
  return [
    'not seen, since the NIC drops it before it is mirrored:',
    ...(direction === 'out' ? [] : [`  frames for VF ${source.vf} with a VLAN id ${vlans}`]),
    ...(direction === 'in'
      ? []
      : [
          `  frames the guest sends with a foreign source MAC or VLAN id (counted as Spoofed: dpcap mirror status --pf ${source.pf} --vf ${source.vf})`,
        ]),
  ];
}

/** One mirror in one line. */
export function mirrorLine(mirror: Mirror): string {
  return `VF ${mirror.vf} of PF ${mirror.pf} is mirrored to VF ${mirror.target}: ${WAYS[mirror.direction]} (${mirror.direction})`;
}

/** One VF with its mirror and its counters. */
export function statusLines(source: VfFacts, mirror: Mirror | undefined): string[] {
  const counters = Object.entries(source.counters).map(([name, value]) => `${name} ${value}`);
  return [
    mirror ? mirrorLine(mirror) : `${describeVf(source)} is not mirrored`,
    `  link ${source.link ?? 'unknown'}${counters.length > 0 ? `; ${counters.join(', ')}` : ''}`,
  ];
}

export function capabilityLines({ controller, about, pfs, notes }: Capabilities): string[] {
  return [`${controller}: ${about}`, ...notes.map((note) => `  ${note}`), ...pfs.flatMap(pfLines)];
}

function pfLines(pf: PfFacts): string[] {
  const loopback = pf.loopback === undefined ? 'unknown' : pf.loopback ? 'on' : 'off: nothing the guest sends is seen';
  const vfs = pf.vfs.map(({ vf, name }) => (name ? `${vf} (${name})` : String(vf)));
  return [
    `PF ${pf.pf} ${pf.pci ?? ''} ${pf.driver ?? 'NIC unknown'}: directions ${pf.directions.join(', ') || 'none'}; loop-back ${loopback}`,
    `  VFs: ${vfs.join(', ') || 'none'}`,
    ...pf.notes.map((note) => `  ${note}`),
  ];
}

/** The lines of a plan: commands to copy, and all else as comments. */
export function planLines(steps: readonly PlanStep[], notes: readonly string[]): string[] {
  const blocks = steps.flatMap(({ title, commands, notes: about }) => [
    '',
    `# ${title}`,
    ...about.map((note) => `# - ${note}`),
    ...commands,
  ]);
  return [...notes.map((note) => `# ${note}`), ...blocks];
}
