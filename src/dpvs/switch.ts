/** Switches forward2kni of one port: reads its state, decides, sends the SET, and reads the state again. */
import { DpcapError, UsageError } from '../errors.js';
import type { ListedPort, PortBasic } from './bodies.js';
import type { DpvsClient } from './client.js';

/** A port with everything on which its forward2kni depends. */
export interface PortView {
  listed: ListedPort;
  state: PortBasic;
  /** The bond it is a slave of. */
  master: string | undefined;
  /** The configuration's `kni on|off`, undefined when unknown. */
  kni: boolean | undefined;
  /** The lcore that serves KNI alone; 0: none; undefined when unknown. */
  kniLcore: number | undefined;
}

/** What a switch did. */
export interface SwitchResult {
  /** The state before and after the switch. */
  was: boolean;
  is: boolean;
  /** Unexpected events that are no failure. */
  notes: string[];
}

/**
 * Collects everything worth knowing about one port, with read-only requests.
 * @param selector its name, or the id of a physical or bond port
 * @throws UsageError ERR_PORT_UNKNOWN; DpcapError ERR_DPVS_*
 */
export async function viewPort(client: DpvsClient, selector: string): Promise<PortView> {
  const ports = await client.ports();
  const listed = findPort(ports, selector, client.path);
  const state = await client.port(listed.name);
  if (state.id !== listed.id) throw confused(client.path, listed);
  const master = listed.kind === 'physical' ? await findMaster(client, ports, listed.name) : undefined;
  return { listed, state, master, kni: await client.kni(), kniLcore: await client.kniLcore() };
}

/** Finds a port by its name. A number is an id only where DPVS's ids are DPDK's (dpvs.md 2.5). */
function findPort(ports: readonly ListedPort[], selector: string, path: string): ListedPort {
  const byName = ports.find((port) => port.name === selector);
  const found = byName ?? ports.find((port) => port.kind !== 'virtual' && String(port.id) === selector);
  if (found) return found;
  throw new UsageError(`DPVS at ${path} has no port ${selector}`, {
    code: 'ERR_PORT_UNKNOWN',
    subject: selector,
    hint: ports.length > 0 ? `it has ${ports.map((port) => port.name).join(', ')}` : 'it has none at all',
  });
}

/** The bond that `slave` belongs to. */
export async function findMaster(
  client: DpvsClient,
  ports: readonly ListedPort[],
  slave: string,
): Promise<string | undefined> {
  for (const { name, kind } of ports) {
    if (kind === 'bond' && (await client.slaves(name)).includes(slave)) return name;
  }
  return undefined;
}

function confused(path: string, listed: ListedPort): DpcapError {
  return new DpcapError('ERR_DPVS_DOUBT', `DPVS at ${path} gives ${listed.name} two different ids`, {
    subject: listed.name,
    hint: 'a port was added or removed at this moment, or this DPVS is modified: try again',
  });
}

/** Texts for the user: why forward2kni of this port will not do what is expected; empty when it will. */
export function expectations({ listed, master, kni, kniLcore }: PortView): string[] {
  const about: string[] = [];
  if (master) about.push(`${listed.name} is a slave of ${master}: nothing is copied from it; use ${master}`);
  if (listed.kind === 'virtual') about.push(virtualText(listed.name));
  if (kni === false)
    about.push(
      'DPVS runs with "kni off": copies are made and thrown away, there is no interface to see them on; use --via tap',
    );
  if (kni && kniLcore === 0)
    about.push('DPVS has no KNI worker lcore: its master lcore carries the copies beside its own work');
  return about;
}

function virtualText(name: string): string {
  const parent = /^(.+)\.\d+$/.exec(name)?.[1];
  const instead = parent ? `; use ${parent}` : '';
  return `${name} is a virtual device (VLAN): nothing is copied, and what its own KNI interface gets is dropped while on${instead}`;
}

/**
 * Refuses to switch on what does harm: a virtual device's own packets would be lost.
 * @throws UsageError ERR_PORT_UNSUITABLE
 */
export function requireHarmless({ listed }: PortView): void {
  if (listed.kind !== 'virtual') return;
  throw new UsageError(`forward2kni was not switched on: ${virtualText(listed.name)}`, {
    code: 'ERR_PORT_UNSUITABLE',
    subject: listed.name,
    hint: '--force does it all the same',
  });
}

/**
 * Brings forward2kni into the wanted state; sends nothing when it already has this state.
 * @param before called between the last look and the SET, with the state to be restored
 * @throws DpcapError ERR_DPVS_STATE when the port is not, or not only, changed as asked; ERR_DPVS_UNKNOWN when its
 *   state cannot be read back
 */
export async function switchForward(
  client: DpvsClient,
  { state }: Pick<PortView, 'state'>,
  on: boolean,
  before: () => void = () => {},
): Promise<SwitchResult> {
  if (state.forward2kni === on) return { was: on, is: on, notes: [] };
  before();
  // A missing answer does not mean that nothing was done: the state that is read back counts.
  const failure = await client.setForward(state.name, on).then(
    () => undefined,
    (error: unknown) => error,
  );
  if (failure instanceof DpcapError && (failure.code === 'ERR_DPVS_DOUBT' || failure.code === 'ERR_DPVS_REFUSED'))
    throw failure;
  const after = await readBack(client, state, on, failure);
  const notes = failure ? [`the answer was lost (${(failure as Error).message}), but the state was read back`] : [];
  return { was: state.forward2kni, is: after.forward2kni, notes };
}

async function readBack(client: DpvsClient, was: PortBasic, on: boolean, failure: unknown): Promise<PortBasic> {
  const wanted = on ? 'on' : 'off';
  const about = { subject: was.name, cause: failure };
  const after = await client.port(was.name).catch((error: unknown) => {
    throw new DpcapError('ERR_DPVS_UNKNOWN', `it is not known whether forward2kni of ${was.name} is ${wanted} now`, {
      ...{ subject: was.name, cause: failure ?? error },
      hint: `${(error as Error).message}; when it answers again: dpcap forward2kni ${was.name} status`,
    });
  });
  if (after.forward2kni !== on) {
    const why = failure ? `: ${(failure as Error).message}` : ', although DPVS said so';
    throw new DpcapError('ERR_DPVS_STATE', `forward2kni of ${was.name} is not ${wanted}${why}`, {
      ...about,
      hint: 'another user of the switch may have been faster: look with status, then try again',
    });
  }
  const changed = describeChange(was, after);
  if (changed) {
    throw new DpcapError(
      'ERR_DPVS_STATE',
      `forward2kni of ${was.name} is ${wanted}, but other settings changed: ${changed}`,
      {
        ...about,
        hint: 'check the port with dpip link show; unless somebody else changed it, this DPVS is not what it says it is',
      },
    );
  }
  return after;
}

/** Changes other than forward2kni. The link may go up and down by itself, and shows in no flag. */
function describeChange(was: PortBasic, now: PortBasic): string | undefined {
  const changes = [
    was.mac === now.mac ? undefined : `MAC ${was.mac} to ${now.mac}`,
    was.link === 'up' && now.link === 'down' ? 'the link went down' : undefined,
    countBits(was.flags ^ now.flags) === 1
      ? undefined
      : `flags 0x${was.flags.toString(16)} to 0x${now.flags.toString(16)}`,
  ].filter((change) => change !== undefined);
  return changes.length > 0 ? changes.join(', ') : undefined;
}

function countBits(word: number): number {
  return word.toString(2).replaceAll('0', '').length;
}
