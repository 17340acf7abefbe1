/** Gathers all that is known about VFd's PFs, VFs and mirrors, from the daemon, its files and the kernel. */
import type { PfFacts, VfFacts } from '../controller.js';
import { findNic, type Nic, vfdAbility } from '../nic.js';
import type { MainConfig } from './config/main-config.js';
import { readVfConfigs, type VfConfig } from './config/vf-config.js';
import type { VfdClient } from './protocol/client.js';
import type { MirrorTable, StatsRow } from './protocol/tables.js';

/** A PF with what only the VFd controller needs. */
export interface VfdPf extends PfFacts {
  nic: Nic | undefined;
}

export interface VfdFacts {
  pfs: VfdPf[];
  mirrors: MirrorTable;
}

/** Asks the daemon and reads the files. The daemon's own numbers decide; files only add to them. */
export async function gatherFacts(
  client: VfdClient,
  config: MainConfig | undefined,
  sysfs: string | undefined,
): Promise<VfdFacts> {
  const rows = await client.showAll();
  const mirrors = await client.showMirrors();
  const configs = (config && readVfConfigs(config.configDir)) ?? [];
  const pfs = rows.filter((row) => row.kind === 'pf').map((row) => pfFacts(row, rows, config, configs, sysfs));
  return { pfs, mirrors };
}

function pfFacts(
  row: StatsRow,
  rows: readonly StatsRow[],
  config: MainConfig | undefined,
  configs: readonly VfConfig[],
  sysfs: string | undefined,
): VfdPf {
  const nic = findNic(row.pci, sysfs);
  const ability = vfdAbility(nic);
  const mine = configs.filter(({ pfPci }) => pfPci === row.pci);
  return {
    pf: row.id,
    pci: row.pci,
    driver: nic?.driver,
    nic,
    loopback: config?.pfs.find(({ pci }) => pci === row.pci)?.loopback,
    directions: ability.byCommand.length > 0 ? ability.byCommand : ability.byConfig,
    notes: ability.notes,
    vfs: rows.filter(({ kind, pf }) => kind === 'vf' && pf === row.id).map((vf) => vfFacts(vf, mine)),
  };
}

function vfFacts(row: StatsRow, configs: readonly VfConfig[]): VfFacts {
  const config = configs.find(({ vf }) => vf === row.id);
  return {
    pf: row.pf,
    vf: row.id,
    pci: row.pci,
    name: config?.name,
    allowsUnknownUnicast: config?.allowsUnknownUnicast,
    vlans: config?.vlans ?? [],
    macs: config?.macs ?? [],
    link: row.link,
    configuredMirror: config?.hasMirror ?? false,
    counters: row.columns,
  };
}
