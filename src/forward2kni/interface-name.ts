/** Names of the kernel interfaces that packets are forwarded to. Pure functions. */
import { UsageError } from '../errors.js';

/** IFNAMSIZ - 1. */
const MAX_LENGTH = 15;

/** One interface for both directions, or one for each. */
export interface InterfaceNames {
  rx: string;
  tx: string;
}

/**
 * The interfaces for a port: `<port>.kni` as in DPVS, or `dpdk<id>.kni` where the device name gives no valid name.
 * @throws UsageError for a name that Linux would not take
 */
export function interfaceNames(
  port: { id: number; name: string },
  wanted: string | undefined,
  split: boolean,
): InterfaceNames {
  const base = wanted ?? defaultName(port, split);
  const names = split ? { rx: `${base}-rx`, tx: `${base}-tx` } : { rx: base, tx: base };
  for (const name of Object.values(names)) {
    if (isValid(name)) continue;
    throw new UsageError(`--name: ${name} is no interface name`, {
      subject: name,
      hint: `use 1 to ${split ? MAX_LENGTH - 3 : MAX_LENGTH} characters without blanks, / or :`,
    });
  }
  return names;
}

function defaultName(port: { id: number; name: string }, split: boolean): string {
  const name = `${port.name}.kni`;
  return isValid(split ? `${name}-rx` : name) ? name : `dpdk${port.id}.kni`;
}

/** The rules of the kernel's dev_valid_name(), and no "%", which the kernel would take for a template. */
function isValid(name: string): boolean {
  return (
    name.length > 0 && Buffer.byteLength(name) <= MAX_LENGTH && name !== '.' && name !== '..' && !/[\s/:%]/.test(name)
  );
}
