/** The ports of an application that has several processes. */
import type { AgentHello } from '../native/agent-binding.js';

type Port = AgentHello['ports'][number];

/**
 * Every device that one of the processes has, in the order of the ports. One that several have counts once: DPDK gives
 * devices that processes share the same name in each.
 */
export function portsOfAll(hellos: readonly Pick<AgentHello, 'ports'>[]): Port[] {
  const ports = new Map<string, Port>();
  for (const port of hellos.flatMap((hello) => hello.ports)) {
    const known = ports.get(port.name);
    const rxQueues = Math.max(port.rxQueues, known?.rxQueues ?? 0);
    const txQueues = Math.max(port.txQueues, known?.txQueues ?? 0);
    ports.set(port.name, { ...(known ?? port), rxQueues, txQueues });
  }
  return [...ports.values()].sort((a, b) => a.id - b.id);
}
