/** A VFd and a controller for it, on files of a test. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Direction, SetRequest, SourceSelector } from '../../../src/mirror/controller.js';
import { VfdController, type VfdSettings } from '../../../src/mirror/vfd/controller.js';
import { locateVfd } from '../../../src/mirror/vfd/locate.js';
import { type FakePf, FakeVfd } from './fake-vfd.js';

/** What is needed of a test. */
export interface Scope {
  teardown(done: () => unknown): void;
}

const DEVICES: Record<string, [string, string]> = {
  ixgbe: ['0x8086', '0x10fb'],
  i40e: ['0x8086', '0x1572'],
  mlx5: ['0x15b3', '0x1019'],
  bnxt: ['0x14e4', '0x16d7'],
};

/** VFs 1, 2, 3 on each PF, named guest_PF_VF. */
export function setUpController(
  dir: string,
  pfs?: FakePf[],
  settings: VfdSettings = {},
): { vfd: FakeVfd; controller: VfdController } {
  const vfd = new FakeVfd(dir, pfs).start();
  for (const [pf] of vfd.pfs.entries()) for (const vf of [1, 2, 3]) vfd.manage(pf, vf, `guest_${pf}_${vf}`);
  const sysfs = join(dir, 'config', 'sys');
  for (const { pci, nic } of vfd.pfs) makeNic(sysfs, pci, nic);
  const place = locateVfd({ config: vfd.cfg });
  const backupDir = join(dir, 'log', 'backup');
  const controller = new VfdController(place, { sysfs, backupDir, limitMs: 300, logWaitMs: 50, ...settings });
  return { vfd, controller };
}

/** What sysfs shows of a NIC. */
export function makeNic(sysfs: string, pci: string, nic: string): void {
  const [vendor, device] = DEVICES[nic] ?? [];
  if (!vendor || !device) return;
  const path = join(sysfs, 'bus/pci/devices', pci);
  mkdirSync(path, { recursive: true });
  writeFileSync(join(path, 'vendor'), `${vendor}\n`);
  writeFileSync(join(path, 'device'), `${device}\n`);
}

export function sourceOf(pf: number, vf: number): SourceSelector {
  return { pf: { kind: 'number', number: pf }, vf: { kind: 'number', number: vf } };
}

export function ask(
  pf: number,
  vf: number,
  direction: Direction,
  target: number,
  extra: Partial<SetRequest> = {},
): SetRequest {
  const to = { kind: 'number' as const, number: target };
  return { source: sourceOf(pf, vf), direction, target: to, force: false, byConfig: false, ...extra };
}
