/** How this folder sees the machine. It is injected, so that tests use temporary directories and fakes instead. */
import type { DpcapError } from '../errors.js';
import { hostAddon, type Release } from '../native/addons.js';
import type { AgentBinding } from '../native/agent-binding.js';
import type { HostBinding, Layouts } from '../native/host-binding.js';
import { type Libraries, librariesFor } from './joining/libraries.js';
import { ONLY_ROOT } from './runtime-dir.js';

/** The part of the addon that is needed to look at primaries. */
export type HostView = Omit<HostBinding, 'tryLock' | 'loadLibraries'> &
  Omit<Layouts, 'mbufLayout'> &
  Pick<AgentBinding, 'agentListener'>;

/** One machine to look at. */
export interface Host {
  /** `/proc`, or a directory that looks like it. */
  readonly procDir: string;
  readonly addon: HostView;
  /** The libraries with which dpcap would join a primary, or why there are none. */
  librariesFor(primary: { pid: number | undefined; version: Release }): Libraries | DpcapError;
  /** Whether primaries are also searched where processes have their files, not in one runtime root alone. */
  readonly searchesProcesses: boolean;
}

/**
 * This machine.
 * @throws DpcapError ERR_ADDON_LOAD
 */
export function systemHost(): Host {
  return { procDir: '/proc', addon: hostAddon(), searchesProcesses: !process.env[ONLY_ROOT], librariesFor };
}
