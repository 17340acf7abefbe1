/** Where this folder looks at the machine; injected, so that tests look at temp directories and fakes instead. */
import { type Binding, binding } from '../native/binding.js';
import type { HostBinding } from '../native/host-binding.js';
import { ONLY_ROOT } from './runtime-dir.js';

/** What of the addon is needed to look at primaries. */
export type HostAddon = HostBinding & Pick<Binding, 'dpdkVersion' | 'dpdkVersionNumber'>;

/** One machine to look at. */
export interface Host {
  /** `/proc`, or a directory that looks like it. */
  readonly procDir: string;
  readonly addon: HostAddon;
  /** Look for primaries where processes have their files, too, not in one runtime root alone. */
  readonly searchesProcesses: boolean;
}

/**
 * This machine.
 * @throws DpcapError ERR_ADDON_LOAD
 */
export function systemHost(): Host {
  return { procDir: '/proc', addon: binding(), searchesProcesses: !process.env[ONLY_ROOT] };
}
