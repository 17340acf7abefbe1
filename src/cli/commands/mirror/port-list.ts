/** `dpcap mirror list`, `status`, `clear` and `capabilities` where they are about ports. */
import { asDpcapError, DpcapError, UsageError } from '../../../errors.js';
import { answeringAgents } from '../../../mirror/agent/application.js';
import { AgentController, type MirrorSelector } from '../../../mirror/agent/controller.js';
import { countersText, idText, mirrorJson, mirrorLines, portLines } from '../../../mirror/agent/describe.js';
import { chooseAgent } from '../../../mirror/choose.js';
import { HardwareController } from '../../../mirror/hardware/controller.js';
import { flowCountersText, flowJson, flowLines } from '../../../mirror/hardware/describe.js';
import { print, type RawMirrorOptions } from './options.js';
import { selectorFrom } from './port-options.js';

/** What is said to people, the most important line first, and as documents. */
export interface Report {
  lines: string[];
  documents: Record<string, unknown>[];
}

/** The controllers of all applications that can mirror. */
export function agentControllers(filePrefix: string | undefined): AgentController[] {
  return answeringAgents(filePrefix)
    .filter(({ hello }) => hello.canMirror)
    .map((one) => new AgentController({ ...one, others: [] }));
}

/** The mirrors of these applications that are meant, also those in hardware. @throws UsageError, DpcapError */
export function listPortMirrors(controllers: readonly AgentController[], raw: RawMirrorOptions): Report[] {
  const selector = selectorFrom(raw);
  return controllers.flatMap((controller) => {
    const { filePrefix, application } = controller;
    const software = controller.list(selector).map((one) => ({ lines: mirrorLines(one), json: mirrorJson(one) }));
    const flows = new HardwareController(application).list(selector);
    const hardware = flows.map((one) => ({ lines: flowLines(one), json: flowJson(one) }));
    return [...software, ...hardware].map(({ lines: [head, ...more], json }) => ({
      lines: [`${filePrefix}: ${head}`, ...more],
      documents: [{ ...json, filePrefix }],
    }));
  });
}

/** What these applications can mirror. */
export function portCapabilities(controllers: readonly AgentController[]): Report {
  return {
    lines: controllers.flatMap((one) => portLines(one.name, one.ports, one.canTunnel)),
    documents: controllers.map(({ filePrefix, ports, canTunnel }) => ({ filePrefix, ports, canTunnel })),
  };
}

/** Ends the mirrors that are meant. None is no error. @throws UsageError, DpcapError when one is not ended */
export function clearPortMirrors(raw: RawMirrorOptions): void {
  const selector = selectorFrom(raw);
  if (raw.all !== true && Object.values(selector).every((one) => one === undefined)) {
    throw new UsageError('which mirror?', { hint: 'add --id, or -i with or without --to-port, or --all' });
  }
  const controller = chooseAgent(raw.filePrefix);
  const cleared: Cleared[] = [];
  const failures: DpcapError[] = [];
  for (const clear of clearers(controller, selector)) {
    try {
      const last = clear();
      if (last) cleared.push(last);
    } catch (error) {
      failures.push(asDpcapError(error));
    }
  }
  const lines = cleared.map(({ line }) => line);
  const document = { cleared: cleared.map(({ json }) => json), failed: failures.map((one) => one.toJSON()) };
  print(raw, document, lines.length > 0 ? lines : ['no such mirror was on']);
  if (failures.length === 0) return;
  throw new DpcapError(
    'ERR_MIRROR_REFUSED',
    `${failures.length} not cleared: ${failures.map(({ message }) => message).join('; ')}`,
    {
      hint: 'look at what is on: dpcap mirror list',
    },
  );
}

/** A mirror that was cleared, as it is told of. */
interface Cleared {
  line: string;
  json: Record<string, unknown>;
}

/** What clears each mirror that is meant, in software and in hardware; undefined when it was off already. */
function clearers(controller: AgentController, selector: MirrorSelector): (() => Cleared | undefined)[] {
  const hardware = new HardwareController(controller.application);
  const told = <S extends { id: number }>(
    last: S | undefined,
    text: (last: S) => string,
    json: (last: S) => Record<string, unknown>,
  ): Cleared | undefined => last && { line: `cleared mirror ${idText(last.id)}: ${text(last)}`, json: json(last) };
  return [
    ...controller.list(selector).map(
      ({ id }) =>
        () =>
          told(controller.clear(id), countersText, mirrorJson),
    ),
    ...hardware.list(selector).map(
      ({ id }) =>
        () =>
          told(hardware.clear(id), flowCountersText, flowJson),
    ),
  ];
}
