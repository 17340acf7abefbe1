/** `dpcap mirror set -i PORT --hardware`: a mirror in the NIC, by flow rules that the agent has the driver make. */
import { DpcapError, type ErrorCode } from '../../../../errors.js';
import { mirroringApplication } from '../../../../mirror/agent/application.js';
import { AgentController } from '../../../../mirror/agent/controller.js';
import { idText } from '../../../../mirror/agent/describe.js';
import { HardwareController } from '../../../../mirror/hardware/controller.js';
import {
  fateText,
  flowCountersText,
  flowEndText,
  flowJson,
  flowPathText,
  ruleLines,
} from '../../../../mirror/hardware/describe.js';
import type { ResolvedFlow } from '../../../../mirror/hardware/request.js';
import { FLOW_MIRROR } from '../../../../mirror/hardware/undo.js';
import { type HeldMirror, holdMirror, leaseSeconds, type Stay } from '../../../../mirror/hold.js';
import type { FlowEnd, FlowStatus } from '../../../../native/flow-binding.js';
import { print } from '../options.js';
import { stayOf } from '../port-options.js';
import { hardwareRequestFrom, type RawHardwareOptions } from './options.js';

/** Sets a mirror in hardware, and holds it if that was asked for; with --dry-run, asks and changes nothing. */
export async function setHardwareMirror(words: readonly string[], raw: RawHardwareOptions): Promise<void> {
  const request = hardwareRequestFrom(words, raw);
  const stay = raw.dryRun ? undefined : stayOf(raw);
  const controller = new HardwareController(mirroringApplication(raw.filePrefix));
  const flow = controller.resolve(request);
  const id = AgentController.newId();
  if (stay === undefined) return dryRun(controller, flow, id, raw);
  if (stay.isHeld) return holdMirror(heldMirror(controller, flow, id, stay, raw), raw);
  show(controller.set(flow, id, leaseSeconds(stay)), flow, raw);
}

/** The rules are printed before the driver is asked: they are of use even where it refuses them. */
function dryRun(controller: HardwareController, flow: ResolvedFlow, id: number, raw: RawHardwareOptions): void {
  const rules = ruleLines(flow);
  if (!raw.json) print(raw, undefined, [...rules, `# ${fateText(flow)}`]);
  const { proxyPort } = controller.validate(flow, id);
  const lines = [`# the driver of port ${proxyPort} would take that; nothing was changed`];
  print(raw, { effect: 'validated', rules, proxyPort }, lines);
}

function heldMirror(
  controller: HardwareController,
  flow: ResolvedFlow,
  id: number,
  stay: Stay,
  raw: RawHardwareOptions,
): HeldMirror<FlowStatus> {
  return {
    stay,
    kind: FLOW_MIRROR,
    subject: `the mirror ${idText(id)} in hardware of ${controller.name}`,
    undo: controller.undoRecord(id),
    set: (lease) => controller.set(flow, id, lease),
    show: (status) => show(status, flow, raw),
    renew: (lease) => endOf(id, controller.renew(id, lease)),
    clear: () => controller.clear(id),
    showCleared: (last) =>
      print(raw, { effect: 'cleared', mirror: last === undefined ? null : flowJson(last) }, [
        last === undefined
          ? `mirror ${idText(id)} was off already`
          : `cleared mirror ${idText(id)}: ${flowCountersText(last)}`,
      ]),
  };
}

const CODES: Record<FlowEnd, ErrorCode> = {
  cleared: 'ERR_MIRROR_REFUSED',
  'lease-over': 'ERR_MIRROR_REFUSED',
  'port-stopped': 'ERR_PORT_UNSUITABLE',
  'other-port-stopped': 'ERR_PORT_UNSUITABLE',
};

/** What to throw about a mirror that is not on any more. */
function endOf(id: number, status: FlowStatus | undefined): DpcapError | undefined {
  if (status?.state === 'on') return undefined;
  const reason = status?.reason ?? 'cleared';
  return new DpcapError(CODES[reason], `the mirror ${idText(id)} has ended: ${flowEndText(reason)}`, {
    subject: idText(id),
    hint: 'set it again when that is mended: `dpcap mirror list` shows what is on',
  });
}

function show(status: FlowStatus, flow: ResolvedFlow, raw: RawHardwareOptions): void {
  const rules = ruleLines(flow);
  print(raw, { effect: 'set', mirror: flowJson(status), rules }, [
    `mirror ${idText(status.id)}: ${flowPathText(status)}`,
    `  ${fateText(status)}: no later rule of the application's in this group is asked about them`,
    ...rules.map((line) => `  ${line}`),
    `  it ends with: dpcap mirror clear --id ${idText(status.id)}`,
  ]);
}
