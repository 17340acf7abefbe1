/** The controller of mirrors in hardware, which the agent inside an application makes of flow rules. */
import { DpcapError } from '../../errors.js';
import { type HostAddon, hostAddon } from '../../native/addons.js';
import type { FlowStatus } from '../../native/flow-binding.js';
import { describePort, selectPorts } from '../../protocol/lanes.js';
import type { MirroringApplication } from '../agent/application.js';
import type { MirrorSelector } from '../agent/controller.js';
import { MirroringController } from '../agent/mirroring-controller.js';
import type { AgentPort, Lease } from '../agent/request.js';
import { flowOrder, type HardwareRequest, type ResolvedFlow, resolveFlow } from './request.js';

type Addon = Pick<HostAddon, 'flowSet' | 'flowRenew' | 'flowClear' | 'flowList' | 'txLoopback'>;

const SOFTWARE = 'mirror without --hardware: that needs nothing of the NIC';

/** What can be done about a refusal, by the errno that came with it. */
const HINTS: Partial<Record<string, string>> = {
  ENOSYS: SOFTWARE,
  EOPNOTSUPP: `look up what the driver takes in DPDK's guide to network drivers, or ${SOFTWARE}`,
  EINVAL: `look up what the driver takes in DPDK's guide to network drivers, or ${SOFTWARE}`,
  EEXIST:
    'a rule of the application is about the same packets: choose others, or have it co-operate (--fate jump:GROUP)',
  ENOSPC: 'end another mirror, or select with fewer words: each alternative is a rule',
  EUSERS: 'end one that is not needed any more: dpcap mirror list, dpcap mirror clear',
  ENETDOWN: 'start the port first; a mirror ends when a port of its is stopped',
  ENODEV: '`dpcap list` shows the ports that there are',
  EPERM: '`dpcap mirror list` shows the owner; anybody who may speak to the agent can end it: dpcap mirror clear --id',
};

/** The drivers whose ports have a loopback of transmitted packets (rte_pmd_*_set_tx_loopback, 22.11 to 25.11). */
const WITH_LOOPBACK = ['net_ixgbe', 'net_i40e', 'net_bnxt', 'net_dpaa'];

export class HardwareController extends MirroringController {
  readonly #addon: Addon;

  constructor(application: MirroringApplication, addon: Addon = hostAddon()) {
    super(application, HINTS);
    this.#addon = addon;
  }

  /** @throws UsageError, DpcapError as resolveFlow() */
  resolve(request: HardwareRequest): ResolvedFlow {
    return resolveFlow(request, this.ports);
  }

  /** Asks the driver whether it would take the rules. Nothing is changed. @throws DpcapError as FlowBinding.flowSet() */
  validate(flow: ResolvedFlow, id: number): FlowStatus {
    return this.#set(flow, id, 1, true);
  }

  /** Makes the rules, which this process owns. @throws DpcapError as FlowBinding.flowSet() */
  set(flow: ResolvedFlow, id: number, leaseSeconds: number): FlowStatus {
    return this.#set(flow, id, leaseSeconds, false);
  }

  #set(flow: ResolvedFlow, id: number, leaseSeconds: number, validatesOnly: boolean): FlowStatus {
    const { pid: ownerPid, startTicks: ownerStartTicks } = this.owner;
    const lease: Lease = { ownerPid, ownerStartTicks, leaseSeconds };
    const order = flowOrder(flow, id, lease, validatesOnly);
    return this.ask((socket) => this.#addon.flowSet(socket, order));
  }

  /** Lengthens the lease of a mirror of this process. Undefined when it is not there. @throws DpcapError */
  renew(id: number, leaseSeconds: number): FlowStatus | undefined {
    const { pid, startTicks } = this.owner;
    return this.ask((socket) => this.#addon.flowRenew(socket, id, { pid, startTicks, leaseSeconds }));
  }

  /** Ends a mirror. Undefined when it is not there, which is no error. @throws DpcapError ERR_DISABLE_FAILED */
  clear(id: number): FlowStatus | undefined {
    return this.ask((socket) => this.#addon.flowClear(socket, id));
  }

  /** All mirrors in hardware, also those that have ended by themselves. @throws DpcapError */
  list(selector: MirrorSelector = {}): FlowStatus[] {
    return this.ask((socket) => this.#addon.flowList(socket)).filter((one) => isMeant(one, selector));
  }

  /**
   * Switches the loopback of transmitted packets, for a whole port: what its VFs send each other stays in the NIC.
   * @returns the port, for people
   * @throws UsageError; DpcapError ERR_PORT_UNSUITABLE when the driver has none, and as FlowBinding.txLoopback()
   */
  loopback(selector: string, isOn: boolean): string {
    const port = this.ports.find(({ id }) => id === selectPorts([selector], this.ports)[0]?.id) as AgentPort;
    if (!WITH_LOOPBACK.includes(port.driver)) {
      throw new DpcapError(
        'ERR_PORT_UNSUITABLE',
        `${port.driver}, the driver of port ${describePort(port)}, has none`,
        {
          subject: port.name,
          hint: `drivers with a loopback of transmitted packets are ${WITH_LOOPBACK.join(', ')}`,
        },
      );
    }
    this.ask((socket) => this.#addon.txLoopback(socket, { port: port.id, device: port.name, isOn }));
    return describePort(port);
  }
}

function isMeant(one: FlowStatus, { id, source, target }: MirrorSelector): boolean {
  if (id !== undefined && one.id !== id) return false;
  const sources = [one.sourceDevice, String(one.sourcePort), one.throughDevice, String(one.throughPort)];
  if (source !== undefined && !sources.includes(source)) return false;
  return (
    target === undefined || (one.copy.kind === 'port' && [one.copy.device, String(one.copy.value)].includes(target))
  );
}
