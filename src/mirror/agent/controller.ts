/**
 * The controller of mirrors from port to port, and into tunnels, which the agent inside an application carries out. It is to ports what
 * VfdController is to VFs.
 */
import { randomInt } from 'node:crypto';
import { DpcapError } from '../../errors.js';
import { type HostAddon, hostAddon } from '../../native/addons.js';
import type { MirrorStatus } from '../../native/mirror-binding.js';
import type { MirroringApplication } from './application.js';
import { MirroringController } from './mirroring-controller.js';
import { mirrorOrder, type PortMirrorRequest, type ResolvedMirror, resolveMirror } from './request.js';

type Addon = Pick<HostAddon, 'mirrorSet' | 'mirrorRenew' | 'mirrorClear' | 'mirrorList'>;

/** Mirrors that are meant: by id, or by their ports. What is undefined does not matter. */
export interface MirrorSelector {
  id?: number | undefined;
  source?: string | undefined;
  target?: string | undefined;
}

/** What can be done about a refusal, by the errno that came with it. */
const HINTS: Partial<Record<string, string>> = {
  EBUSY: 'give another queue with --to-queue; without a free one, start the application with one more (testpmd: --txq)',
  EEXIST: '`dpcap mirror list` shows it; end it with: dpcap mirror clear',
  EUSERS: 'end one that is not needed any more: dpcap mirror list, dpcap mirror clear',
  ENETDOWN: 'start the port first; a mirror ends when its target is stopped',
  EADDRINUSE: 'give each mirror an id of its own: id=N, vni=N or key=N; `dpcap mirror list` shows those that there are',
  EMSGSIZE: 'give less: mtu=N',
  ENOMEM: 'start the application with more memory (-m, --socket-mem), or end another mirror',
  ENODEV: '`dpcap list` shows the ports that there are',
  EOPNOTSUPP: 'leave --by-reference away, or start the application without that offload',
  EPERM: '`dpcap mirror list` shows the owner; anybody who may speak to the agent can end it: dpcap mirror clear --id',
};

export class AgentController extends MirroringController {
  readonly kind = 'agent';
  readonly #addon: Addon;

  constructor(application: MirroringApplication, addon: Addon = hostAddon()) {
    super(application, HINTS);
    this.#addon = addon;
  }

  /** Whether its agent can mirror into tunnels. */
  get canTunnel(): boolean {
    return this.application.hello.canTunnel;
  }

  /** An id for a mirror that is about to be set: the journal has it before the agent. */
  static newId(): number {
    return randomInt(1, 2 ** 32);
  }

  /**
   * Checks all that can be checked without a change.
   * @throws UsageError, DpcapError as resolveMirror()
   */
  resolve(request: PortMirrorRequest): ResolvedMirror {
    const resolved = resolveMirror(request, this.ports);
    const { others } = this.application;
    if (others.length === 0) return resolved;
    const processes = `process ${others.join(', ')}`;
    if (request.targetQueue === undefined) throw unwatched(processes);
    const note = `only queues that the primary polls are mirrored, not those of ${processes}`;
    return { ...resolved, warnings: [...resolved.warnings, note] };
  }

  /**
   * Sets a mirror, which this process owns. It waits while the target's queue is watched.
   * @throws DpcapError as MirrorBinding.mirrorSet()
   */
  set(mirror: ResolvedMirror, id: number, leaseSeconds: number): MirrorStatus {
    const { pid: ownerPid, startTicks: ownerStartTicks } = this.owner;
    const order = mirrorOrder(mirror, id, { ownerPid, ownerStartTicks, leaseSeconds });
    return this.ask((socket) => this.#addon.mirrorSet(socket, order));
  }

  /** Lengthens the lease of a mirror of this process. Undefined when it is not there. @throws DpcapError */
  renew(id: number, leaseSeconds: number): MirrorStatus | undefined {
    const { pid, startTicks } = this.owner;
    return this.ask((socket) => this.#addon.mirrorRenew(socket, id, { pid, startTicks, leaseSeconds }));
  }

  /** Ends a mirror. Undefined when it is not there, which is no error. @throws DpcapError ERR_DISABLE_FAILED */
  clear(id: number): MirrorStatus | undefined {
    return this.ask((socket) => this.#addon.mirrorClear(socket, id));
  }

  /** All mirrors, also those that have ended by themselves. @throws DpcapError */
  list(selector: MirrorSelector = {}): MirrorStatus[] {
    return this.ask((socket) => this.#addon.mirrorList(socket)).filter((one) => isMeant(one, selector));
  }
}

/** A queue that nobody in the primary sends on may be another process's. */
function unwatched(processes: string): DpcapError {
  return new DpcapError('ERR_MIRROR_UNSAFE', `what ${processes} sends on the same ports cannot be watched`, {
    subject: processes,
    hint: 'name a transmit queue of the target on which no process of the application sends: --to-queue',
  });
}

function isMeant(one: MirrorStatus, { id, source, target }: MirrorSelector): boolean {
  if (id !== undefined && one.id !== id) return false;
  if (source !== undefined && source !== one.sourceDevice && source !== String(one.sourcePort)) return false;
  return target === undefined || target === one.targetDevice || target === String(one.targetPort);
}
