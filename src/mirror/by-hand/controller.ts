/** The controller for hosts that have none. It changes nothing, and says what a person would have to do. */
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
  VfStatus,
} from '../controller.js';
import { findNic, type NicDriver } from '../nic.js';
import { describeSelector } from '../resolve.js';
import { type PlanFacts, planSteps } from './steps.js';
import { ownerOf, switchdevNames } from './sysfs.js';

export interface PlanSettings {
  /** Overrides the driver that the PCI ids tell. */
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

  async status(): Promise<VfStatus> {
    throw nobodyToAsk('tell the state of a VF');
  }

  async set({ source, direction, target }: SetRequest): Promise<SetOutcome> {
    const { pf, pfPci, vf } = this.#locate(source);
    const to = target.kind === 'pci' ? ownerOf(target.address, this.#settings.sysfs)?.vf : numberOf(target);
    if (to === undefined) throw unknown('--target', describeSelector(target));
    if (to === vf)
      throw new UsageError(`the target is the source: VF ${vf}`, { hint: 'choose another VF of the same PF' });
    const steps = this.#steps({ vf, direction }, pf, to, pfPci);
    const about = pf === undefined ? [`${PORT_WORD} is the port number of ${pfPci} in the primary that owns it`] : [];
    return { effect: 'planned', steps, notes: [...PLAN_NOTES, ...about] };
  }

  async clear(source: SourceSelector): Promise<ClearOutcome> {
    const { pf, pfPci, vf } = this.#locate(source);
    // Rules of both directions end alike. Where a NIC cannot begin with "all", the commands come from "in".
    const [both, one] = (['all', 'in'] as const).map((direction) =>
      this.#steps({ vf, direction }, pf, undefined, pfPci).map((step) => ({
        ...step,
        commands: step.commands.filter((line) => line.includes('# to end it')),
      })),
    ) as [PlanStep[], PlanStep[]];
    const ends = both.map((step, i) => (step.commands.length > 0 ? step : (one[i] as PlanStep)));
    return { effect: 'planned', steps: ends.filter(({ commands }) => commands.length > 0), notes: [] };
  }

  #steps(
    mirror: PlanFacts['mirror'],
    pf: number | undefined,
    target: number | undefined,
    pfPci: string | undefined,
  ): PlanStep[] {
    const targetName = target === undefined ? 'TARGET' : String(target);
    const { sysfs, mac } = this.#settings;
    const names = pfPci === undefined ? undefined : switchdevNames(pfPci, sysfs);
    return planSteps({
      mirror,
      port: pf === undefined ? PORT_WORD : String(pf),
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

  /** The port number that the primary gave a PF is not known here when the PF was named by its address. */
  #locate({ pf, vf }: SourceSelector): { pf: number | undefined; pfPci: string | undefined; vf: number } {
    const owner = vf.kind === 'pci' ? ownerOf(vf.address, this.#settings.sysfs) : undefined;
    const number = owner?.vf ?? numberOf(vf);
    if (number === undefined) throw unknown('--vf', describeSelector(vf));
    if (pf?.kind === 'name') throw unknown('--pf', pf.name);
    const pfPci = pf?.kind === 'pci' ? pf.address : owner?.pfPci;
    return { pf: pf?.kind === 'number' ? pf.number : undefined, pfPci, vf: number };
  }
}

const PORT_WORD = 'PORT_OF_PF';

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
