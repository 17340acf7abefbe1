/** Reads what the kernel knows of PFs and VFs without any controller: addresses, and names of representors. */
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import { basename, join } from 'node:path';
import { kernelInterfaces } from '../nic.js';

/** PCI address of a VF; undefined when the kernel has no VF of that number. */
export function vfAddress(pfPci: string, vf: number, sysfs = '/sys'): string | undefined {
  return linkName(join(sysfs, 'bus/pci/devices', pfPci, `virtfn${vf}`));
}

/** The PF of a VF, and its number there. */
export function ownerOf(vfPci: string, sysfs = '/sys'): { pfPci: string; vf: number } | undefined {
  const dir = join(sysfs, 'bus/pci/devices', vfPci);
  const pfPci = linkName(join(dir, 'physfn'));
  const link =
    pfPci &&
    names(join(sysfs, 'bus/pci/devices', pfPci)).find((name) => {
      return name.startsWith('virtfn') && linkName(join(sysfs, 'bus/pci/devices', pfPci, name)) === vfPci;
    });
  return link ? { pfPci: pfPci as string, vf: Number(link.slice('virtfn'.length)) } : undefined;
}

/** The kernel's interfaces of a PF in switchdev mode: the uplink and the VFs' representors. */
export function switchdevNames(
  pfPci: string,
  sysfs = '/sys',
): { uplink: string | undefined; representor: (vf: number) => string | undefined } {
  const ports = new Map(kernelInterfaces(pfPci, sysfs).map((name) => [portName(pfPci, name, sysfs), name]));
  const find = (pattern: RegExp): string | undefined => [...ports].find(([port]) => pattern.test(port))?.[1];
  return { uplink: find(/^p\d+$/), representor: (vf) => find(new RegExp(`^(c\\d+)?pf\\d+vf${vf}$`)) };
}

function portName(pfPci: string, name: string, sysfs: string): string {
  try {
    return readFileSync(join(sysfs, 'bus/pci/devices', pfPci, 'net', name, 'phys_port_name'), 'utf8').trim();
  } catch {
    return '';
  }
}

function linkName(path: string): string | undefined {
  try {
    return basename(readlinkSync(path));
  } catch {
    return undefined;
  }
}

function names(dir: string): string[] {
  try {
    return readdirSync(dir);
  } catch {
    return [];
  }
}
