/** Selects the ports and queues of a primary that a plan is about. Pure. */
import { UsageError } from '../errors.js';
import type { LanePlan } from '../native/capture-binding.js';
import type { Port } from '../native/primary-binding.js';
import type { EnginePlan } from './plan.js';
import { isMeant } from './port-rules.js';

/**
 * The lanes of a plan on the ports of the primary: one for each port, queue and direction.
 * @throws UsageError ERR_PORT_UNKNOWN or ERR_QUEUE_RANGE, with the ports or queues that exist
 */
export function selectLanes(plan: EnginePlan, ports: readonly Port[]): LanePlan[] {
  const chosen = selectPorts(plan.ports, ports);
  const lanes = chosen.flatMap((port, index) =>
    plan.directions.flatMap((direction) =>
      selectQueues(plan.queues, direction === 'rx' ? port.rxQueues : port.txQueues).map((queue) => ({
        device: port.name,
        port: port.id,
        queue,
        direction,
        interface: index,
      })),
    ),
  );
  if (lanes.length > 0) return lanes;
  const have = chosen.map((port) => `${describePort(port)} has ${port.rxQueues} rx and ${port.txQueues} tx queues`);
  throw new UsageError(`no such queue: ${plan.queues?.join(',') ?? 'none are set up'}`, {
    code: 'ERR_QUEUE_RANGE',
    hint: have.join('; '),
  });
}

/** The ports that lanes refer to by `interface`, in that order. */
export function selectPorts(selectors: readonly string[], ports: readonly Port[]): Port[] {
  const first = ports[0];
  if (!first) {
    throw new UsageError('the primary has no ports', {
      code: 'ERR_PORT_UNKNOWN',
      hint: 'dpcap list shows what it has',
    });
  }
  if (selectors.length === 0) return [first];
  if (selectors.includes('any')) return [...ports];
  const chosen = selectors.map((selector) => {
    const found = ports.find((port) => isMeant(selector, port));
    if (found) return found;
    throw new UsageError(`there is no port ${selector}`, {
      code: 'ERR_PORT_UNKNOWN',
      subject: selector,
      hint: `the ports are ${ports.map(describePort).join(', ')}`,
    });
  });
  return [...new Set(chosen)];
}

function selectQueues(wanted: readonly number[] | undefined, count: number): number[] {
  const all = Array.from({ length: count }, (_, queue) => queue);
  return wanted === undefined ? all : all.filter((queue) => wanted.includes(queue));
}

/** "0 (net_null0)" */
export function describePort(port: { id: number; name: string }): string {
  return `${port.id} (${port.name})`;
}
