/** The kernel interfaces that a process feeds, and the ports of DPDK that they are the other ends of. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** The kernel's names of the descriptors of a process; the `iff` of one is the TUN or TAP interface that it belongs to. */
const INTERFACE_LINE = /^iff:\s*(\S+)/m;
const VIRTIO_USER = 'net_virtio_user';

/** A port, as far as it matters here. */
interface Port {
  name: string;
  driver: string;
  mac: string;
}

/** The TAP interfaces that a process has open, in its own network namespace; none when it may not be looked at. */
export function interfacesOf(pid: number, procDir = '/proc'): string[] {
  const folder = join(procDir, String(pid), 'fdinfo');
  try {
    const names = readdirSync(folder).flatMap((fd) => INTERFACE_LINE.exec(textOf(join(folder, fd)))?.[1] ?? []);
    return [...new Set(names)];
  } catch {
    return [];
  }
}

/** A descriptor may be closed meanwhile. */
function textOf(file: string): string {
  try {
    return readFileSync(file, 'latin1');
  } catch {
    return '';
  }
}

/**
 * The virtio-user port of an application whose other end is the interface of this name.
 * The driver gives both ends one MAC address when it starts the port.
 */
export function virtioUserPort<P extends Port>(
  name: string,
  ports: readonly P[],
  pid: number,
  { procDir = '/proc', netDir = '/sys/class/net' } = {},
): P | undefined {
  if (!interfacesOf(pid, procDir).includes(name)) return undefined;
  const mac = textOf(join(netDir, name, 'address')).trim();
  return ports.find((one) => one.driver === VIRTIO_USER && one.mac === mac);
}
