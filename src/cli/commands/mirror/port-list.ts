/** `dpcap mirror list`, `clear` and `capabilities` where they are about ports. */
import { asDpcapError, DpcapError, UsageError } from '../../../errors.js';
import { answeringAgents } from '../../../mirror/agent/application.js';
import { AgentController } from '../../../mirror/agent/controller.js';
import { countersText, idText, mirrorJson, mirrorLines, portLines } from '../../../mirror/agent/describe.js';
import { chooseAgent } from '../../../mirror/choose.js';
import type { MirrorStatus } from '../../../native/mirror-binding.js';
import { print, type RawMirrorOptions } from './options.js';
import { selectorFrom } from './port-options.js';

/** What is said about mirrors of ports: to people, and as documents. */
export interface PortReport {
  lines: string[];
  documents: Record<string, unknown>[];
}

/** The controllers of all applications that can mirror. */
export function agentControllers(filePrefix: string | undefined): AgentController[] {
  return answeringAgents(filePrefix)
    .filter(({ hello }) => hello.canMirror)
    .map((one) => new AgentController({ ...one, others: [] }));
}

/** The mirrors of these applications that are meant. @throws UsageError, DpcapError */
export function listPortMirrors(controllers: readonly AgentController[], raw: RawMirrorOptions): PortReport {
  const selector = selectorFrom(raw);
  const all = controllers.flatMap((controller) =>
    controller.list(selector).map((status) => ({ status, filePrefix: controller.filePrefix })),
  );
  return {
    lines: all.flatMap(({ status, filePrefix }) =>
      mirrorLines(status).map((line, i) => (i === 0 ? `${filePrefix}: ${line}` : line)),
    ),
    documents: all.map(({ status, filePrefix }) => ({ ...mirrorJson(status), filePrefix })),
  };
}

/** What these applications can mirror. */
export function portCapabilities(controllers: readonly AgentController[]): PortReport {
  return {
    lines: controllers.flatMap((one) => portLines(one.name, one.ports)),
    documents: controllers.map(({ filePrefix, ports }) => ({ filePrefix, ports })),
  };
}

/** Ends the mirrors that are meant. None is no error. @throws UsageError, DpcapError when one is not ended */
export function clearPortMirrors(raw: RawMirrorOptions): void {
  const selector = selectorFrom(raw);
  if (raw.all !== true && Object.values(selector).every((one) => one === undefined)) {
    throw new UsageError('which mirror?', { hint: 'add --id, or -i with or without --to-port, or --all' });
  }
  const controller = chooseAgent(raw.filePrefix);
  const cleared: MirrorStatus[] = [];
  const failures: DpcapError[] = [];
  for (const { id } of controller.list(selector)) {
    try {
      const last = controller.clear(id);
      if (last) cleared.push(last);
    } catch (error) {
      failures.push(asDpcapError(error));
    }
  }
  const lines = cleared.map(({ id, counters }) => `cleared mirror ${idText(id)}: ${countersText(counters)}`);
  const document = { cleared: cleared.map(mirrorJson), failed: failures.map((one) => one.toJSON()) };
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
