/** Holds a mirror to a virtio-user port for as long as this process runs, with its state for `status` and `off`. */
import { DpcapError } from '../errors.js';
import { AgentController } from '../mirror/agent/controller.js';
import { countersText, endText, idText, mirrorJson } from '../mirror/agent/describe.js';
import type { ResolvedMirror } from '../mirror/agent/request.js';
import { AGENT_MIRROR } from '../mirror/agent/undo.js';
import { holdMirror, type Stay } from '../mirror/hold.js';
import type { MirrorStatus } from '../native/mirror-binding.js';
import { sentence } from './report.js';
import type { ForwardRequest } from './request.js';
import type { ForwarderState, ForwarderStates } from './state.js';

/** All decisions about one forwarder. */
export interface VirtioForward {
  request: ForwardRequest;
  controller: AgentController;
  mirror: ResolvedMirror;
  stay: Stay;
  state: Pick<ForwarderState, 'filePrefix' | 'port' | 'interfaces' | 'netns'>;
}

/** @throws DpcapError when it is refused, or has ended by itself */
export async function holdForwarder(forward: VirtioForward, states: ForwarderStates): Promise<void> {
  const { request, controller, mirror, stay, state } = forward;
  const id = AgentController.newId();
  const save = saving(forward, states);
  try {
    await holdMirror<MirrorStatus>(
      {
        stay,
        kind: AGENT_MIRROR,
        subject: `the mirror ${idText(id)} in ${controller.name}`,
        undo: controller.undoRecord(id),
        set: (lease) => controller.set(mirror, id, lease),
        show: (status) => {
          save(status);
          const about = `${sentence(state)} by virtio-user (${mirror.target.name})`;
          tell(request, { forwarding: true, ...state, mirror: mirrorJson(status) }, about);
        },
        renew: (lease) => {
          const status = controller.renew(id, lease);
          if (status?.state !== 'on') return hasEnded(forward, status);
          save(status);
          return undefined;
        },
        clear: () => controller.clear(id),
        showCleared: (last) => {
          const counters = last === undefined ? '' : `: ${countersText(last)}`;
          const document = { forwarding: false, ...state, mirror: last === undefined ? null : mirrorJson(last) };
          tell(request, document, `port ${state.port.name} is no longer forwarded${counters}`);
        },
      },
      request,
    );
  } finally {
    states.remove();
  }
}

function tell({ json }: ForwardRequest, document: unknown, text: string): void {
  process.stdout.write(`${json ? JSON.stringify(document) : text}\n`);
}

function hasEnded({ request, state }: VirtioForward, status: MirrorStatus | undefined): DpcapError {
  const why = endText(status?.reason ?? 'cleared');
  return new DpcapError('ERR_MIRROR_REFUSED', `port ${state.port.name} is no longer forwarded: ${why}`, {
    subject: request.port,
    hint: `when that is mended: dpcap forward2kni ${request.port} on --via virtio-user`,
  });
}

/** Keeps the state file up to date. That an old one stays because the disk is full is no reason to stop forwarding. */
function saving({ state }: VirtioForward, states: ForwarderStates): (status: MirrorStatus) => void {
  const startedAt = new Date().toISOString();
  let isSaved = false;
  return ({ counters }) => {
    const { sent, refused, contended, nombuf, filtered } = counters;
    const losses = { nombuf: Number(nombuf), ringfull: 0, sinkdrop: Number(refused + contended) };
    try {
      states.save({ ...state, startedAt, packets: Number(sent), bytes: null, ...losses, filtered: Number(filtered) });
      isSaved = true;
    } catch (error) {
      if (!isSaved) throw error;
    }
  };
}
