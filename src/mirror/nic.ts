/** Tells which NIC a PF is, and what each kind of NIC can mirror (mirroring.md 1-3, vfd.md 6). */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Direction } from './controller.js';

export const NIC_DRIVERS = ['ixgbe', 'i40e', 'ice', 'bnxt', 'mlx5', 'cnxk', 'sfc'] as const;
export type NicDriver = (typeof NIC_DRIVERS)[number];

export interface Nic {
  driver: NicDriver;
  /** The model, where it matters: X722 and the like. */
  model: string | undefined;
}

/** PCI device ids that leave no doubt, by vendor. */
const VENDORS: Record<string, { driver: NicDriver; devices?: RegExp; model?: string }[]> = {
  '8086': [
    { driver: 'i40e', devices: /^(37c[ef]|37d[0-5])$/, model: 'X722' },
    { driver: 'i40e', devices: /^(1572|157[4-9]|158[0-9ab]|104[ef]|0d58|0cf8|0dd2)$/ },
    {
      driver: 'ixgbe',
      devices: /^(10[bcdef][0-9a-f]|150[78b]|151[47c]|152[89a]|154[ad]|155[78]|156[03]|15[abc][0-9a-f])$/,
    },
    { driver: 'ice', devices: /^(159[0-9ab]|188[0-9a-f]|189[0-9a-f]|124[cdef]|12d[1-5])$/ },
  ],
  '14e4': [{ driver: 'bnxt' }],
  '15b3': [{ driver: 'mlx5' }],
  '177d': [{ driver: 'cnxk' }],
  '1924': [{ driver: 'sfc' }],
};

/**
 * The NIC at a PCI address; undefined when there is none, or it is not known.
 * @param sysfs `/sys`, or a directory that looks like it
 */
export function findNic(pci: string | undefined, sysfs = '/sys'): Nic | undefined {
  const dir = pci && join(sysfs, 'bus/pci/devices', pci);
  const [vendor, device] = [dir && readId(join(dir, 'vendor')), dir && readId(join(dir, 'device'))];
  if (!vendor || !device) return undefined;
  const found = VENDORS[vendor]?.find(({ devices }) => devices === undefined || devices.test(device));
  return found && { driver: found.driver, model: found.model };
}

/** Names of the kernel's interfaces on a PCI address; empty while a DPDK driver has the device. */
export function kernelInterfaces(pci: string, sysfs = '/sys'): string[] {
  try {
    return readdirSync(join(sysfs, 'bus/pci/devices', pci, 'net')).sort();
  } catch {
    return [];
  }
}

function readId(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8').trim().replace(/^0x/, '').toLowerCase();
  } catch {
    return undefined;
  }
}

/** What VFd can mirror on a NIC. */
export interface VfdAbility {
  /** Directions that VFd's run-time command can mirror. */
  byCommand: Direction[];
  /** Directions that the VF's configuration can mirror. */
  byConfig: Direction[];
  notes: string[];
}

const ANY: Direction[] = ['in', 'out', 'all'];
const ONE_WAY: Direction[] = ['in', 'out'];

/** Tells what VFd can mirror on a NIC, before a mirror is set: VFd's answer does not tell. */
export function vfdAbility(nic: Nic | undefined): VfdAbility {
  if (!nic) {
    return both(ANY, ['the NIC was not recognised: some do one direction only, some mirror the whole PF']);
  }
  switch (nic.driver) {
    case 'ixgbe':
      return both(ANY, [
        'ixgbe mirrors by port, not by VF: the target gets the traffic of the whole PF in that direction',
        'ixgbe has 4 mirror rules, and VFd uses a new one each time a mirror goes on: after 4 it fails until VFd restarts',
      ]);
    case 'i40e':
      return both(ONE_WAY, [
        'i40e takes one direction a mirror: "all" is refused by its driver',
        ...(nic.model === 'X722' ? ['X722 has one mirror for each VF'] : []),
      ]);
    case 'mlx5':
      return {
        byCommand: [],
        byConfig: ANY,
        notes: [
          'mlx5 mirrors only by the VF configuration (--by-config), and only with the vendor OFED kernel drivers',
        ],
      };
    default:
      return both([], [`the driver of this NIC (${nic.driver}) has no mirror operation that VFd could call`]);
  }
}

function both(directions: Direction[], notes: string[]): VfdAbility {
  return { byCommand: directions, byConfig: directions, notes };
}
