/** `dpcap mirror set -i PORT` with --to-port or --to: a mirror in an application, by its agent. */
import { DpcapError, type ErrorCode } from '../../../errors.js';
import { AgentController } from '../../../mirror/agent/controller.js';
import { countersText, endText, idText, mirrorJson, nextHopLines, pathText } from '../../../mirror/agent/describe.js';
import type { ResolvedMirror } from '../../../mirror/agent/request.js';
import { AGENT_MIRROR } from '../../../mirror/agent/undo.js';
import { chooseAgent } from '../../../mirror/choose.js';
import { type HeldMirror, holdMirror, leaseSeconds, type Stay } from '../../../mirror/hold.js';
import { warn } from '../../../mirror/warn.js';
import type { MirrorEnd, MirrorStatus } from '../../../native/mirror-binding.js';
import { print, type RawMirrorOptions } from './options.js';
import { portRequestFrom, stayOf } from './port-options.js';

/** Sets a mirror, and holds it if that was asked for. */
export async function setPortMirror(words: readonly string[], raw: RawMirrorOptions): Promise<void> {
  const request = portRequestFrom(words, raw);
  const stay = stayOf(raw);
  const controller = chooseAgent(raw.filePrefix);
  const mirror = controller.resolve(request);
  warn(mirror.warnings);
  const id = AgentController.newId();
  if (stay.isHeld) return holdMirror(heldMirror(controller, mirror, id, stay, raw), raw);
  show(controller.set(mirror, id, leaseSeconds(stay)), mirror, raw);
}

function heldMirror(
  controller: AgentController,
  mirror: ResolvedMirror,
  id: number,
  stay: Stay,
  raw: RawMirrorOptions,
): HeldMirror<MirrorStatus> {
  return {
    stay,
    kind: AGENT_MIRROR,
    subject: `the mirror ${idText(id)} in ${controller.name}`,
    undo: controller.undoRecord(id),
    set: (lease) => controller.set(mirror, id, lease),
    show: (status) => show(status, mirror, raw),
    renew: (lease) => endOf(id, controller.renew(id, lease)),
    clear: () => controller.clear(id),
    showCleared: (last) =>
      print(raw, { effect: 'cleared', mirror: last === undefined ? null : mirrorJson(last) }, clearedLines(id, last)),
  };
}

const CODES: Record<MirrorEnd, ErrorCode> = {
  cleared: 'ERR_MIRROR_REFUSED',
  'lease-over': 'ERR_MIRROR_REFUSED',
  'source-gone': 'ERR_PORT_GONE',
  'target-gone': 'ERR_PORT_GONE',
  'target-stopped': 'ERR_PORT_UNSUITABLE',
  'queue-used': 'ERR_MIRROR_UNSAFE',
  'fast-free': 'ERR_MIRROR_UNSAFE',
};

/** What to throw about a mirror that is not on any more. */
function endOf(id: number, status: MirrorStatus | undefined): DpcapError | undefined {
  if (status?.state === 'on') return undefined;
  const reason = status?.reason ?? 'cleared';
  return new DpcapError(CODES[reason], `the mirror ${idText(id)} has ended: ${endText(reason)}`, {
    subject: idText(id),
    hint: 'set it again when that is mended: `dpcap mirror list` shows what is on',
  });
}

function show(status: MirrorStatus, { warnings }: ResolvedMirror, raw: RawMirrorOptions): void {
  const stays = `  it ends with: dpcap mirror clear --id ${idText(status.id)}`;
  const lines = [`mirror ${idText(status.id)}: ${pathText(status)}`, ...nextHopLines(status), stays];
  print(raw, { effect: 'set', mirror: mirrorJson(status), warnings }, lines);
}

function clearedLines(id: number, last: MirrorStatus | undefined): string[] {
  return [
    last === undefined ? `mirror ${idText(id)} was off already` : `cleared mirror ${idText(id)}: ${countersText(last)}`,
  ];
}
