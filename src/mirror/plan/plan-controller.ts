/** The controller of hosts that have none: changes nothing, says what a person would have to do. */
import { DpcapError, UsageError } from '../../errors.js';
import type {
  Capabilities,
  ClearOutcome,
  Mirror,
  MirrorController,
  PlanStep,
  SetOutcome,
  SetRequest,
  SourceSelector,
  VfFacts,
} from '../controller.js';
import { findNic, type NicDriver } from '../nic.js';
import { describeSelector } from '../resolve.js';
import { type PlanFacts, planSteps } from './steps.js';
import { ownerOf, switchdevNames } from './sysfs.js';

export interface PlanSettings {
  /** Overrides what the PCI ids say. */
  driver?: NicDriver | undefined;
  mac?: string | undefined;
  sysfs?: string | undefined;
}

const CAPABLE: Record<string, string> = {
  mlx5: 'flow rules with sample actions (20.11), tc in switchdev mode, OFED sysfs',
  bnxt: 'flow rules with shared sample actions (21.08)',
  cnxk: 'flow rules with a sample action to one VF (24.03)',
  sfc: 'transfer rules that deliver twice (23.11)',
  'ixgbe, i40e': 'mirror rules before DPDK 21.11 (VFd, testpmd); nothing since',
  'ice, virtual devices': 'nothing in DPDK; ice: tc in switchdev mode',
};

export class PlanController implements MirrorController {
  readonly kind = 'plan';
  readonly #settings: PlanSettings;

  constructor(settings: PlanSettings = {}) {
    this.#settings = settings;
  }

  async capabilities(): Promise<Capabilities> {
    const notes = Object.entries(CAPABLE).map(([nic, what]) => `${nic}: ${what}`);
    return { controller: 'plan', about: 'prints commands, changes nothing', canChange: false, pfs: [], notes };
  }

  async list(): Promise<Mirror[]> {
    throw nobodyToAsk('list mirrors');
  }

  async status(): Promise<{ source: VfFacts; mirror: Mirror | undefined }> {
    throw nobodyToAsk('tell the state of a VF');
  }

  async set({ source, direction, target }: SetRequest): Promise<SetOutcome> {
    const { pf, pfPci, vf } = this.#locate(source);
    const to = target.kind === 'pci' ? ownerOf(target.address, this.#settings.sysfs)?.vf : numberOf(target);
    if (to === undefined) throw unknown('--target', describeSelector(target));
    if (to === vf)
      throw new UsageError(`the target is the source: VF ${vf}`, { hint: 'choose another VF of the same PF' });
    const steps = this.#steps({ pf, vf, direction }, to, pfPci);
    return { effect: 'planned', steps, notes: PLAN_NOTES };
  }

  async clear(source: SourceSelector): Promise<ClearOutcome> {
    const { pf, pfPci, vf } = this.#locate(source);
    const steps = this.#steps({ pf, vf, direction: 'all' }, undefined, pfPci);
    const ends = steps.map((step) => ({
      ...step,
      commands: step.commands.filter((line) => line.includes('# to end it')),
    }));
    return { effect: 'planned', steps: ends, notes: [] };
  }

  #steps(mirror: PlanFacts['mirror'], target: number | undefined, pfPci: string | undefined): PlanStep[] {
    const targetName = target === undefined ? 'TARGET' : String(target);
    const { sysfs, mac } = this.#settings;
    const names = pfPci === undefined ? undefined : switchdevNames(pfPci, sysfs);
    return planSteps({
      mirror,
      target: targetName,
      driver: this.#settings.driver ?? findNic(pfPci, sysfs)?.driver,
      pfPci: pfPci ?? 'PCI_OF_PF',
      mac: mac ?? `MAC_OF_VF_${mirror.vf}`,
      uplink: names?.uplink ?? 'PF_INTERFACE',
      sourceRepresentor: names?.representor(mirror.vf) ?? `REPRESENTOR_OF_VF_${mirror.vf}`,
      targetRepresentor:
        (target === undefined ? undefined : names?.representor(target)) ?? `REPRESENTOR_OF_VF_${targetName}`,
    });
  }

  /** A PF that is named by its address is port 0 of the primary in the commands. */
  #locate({ pf, vf }: SourceSelector): { pf: number; pfPci: string | undefined; vf: number } {
    const owner = vf.kind === 'pci' ? ownerOf(vf.address, this.#settings.sysfs) : undefined;
    const number = owner?.vf ?? numberOf(vf);
    if (number === undefined) throw unknown('--vf', describeSelector(vf));
    if (pf?.kind === 'name') throw unknown('--pf', pf.name);
    const pfPci = pf?.kind === 'pci' ? pf.address : owner?.pfPci;
    return { pf: pf?.kind === 'number' ? pf.number : 0, pfPci, vf: number };
  }
}

const PLAN_NOTES = [
  'words in capitals are to be filled in; nothing was run',
  'on the target: promiscuous mode, and nothing else that uses it',
];

function numberOf(selector: { kind: string; number?: number }): number | undefined {
  return selector.kind === 'number' ? selector.number : undefined;
}

function unknown(option: string, name: string): UsageError {
  return new UsageError(`${option} ${name}: not known on this host`, {
    subject: name,
    hint: 'without a controller only PCI addresses of this host and numbers can be resolved',
  });
}

function nobodyToAsk(what: string): DpcapError {
  return new DpcapError('ERR_MIRROR_ABSENT', `nobody here can ${what}: VFd was not found`, {
    hint: 'start VFd, or name its request FIFO with --fifo (or its configuration with --config)',
  });
}
