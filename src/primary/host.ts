/** How this folder sees the machine. It is injected, so that tests use temporary directories and fakes instead. */
import { type Binding, binding } from '../native/binding.js';
import type { HostBinding } from '../native/host-binding.js';
import { ONLY_ROOT } from './runtime-dir.js';

/** The part of the addon that is needed to look at primaries. */
export type HostAddon = HostBinding & Pick<Binding, 'dpdkVersion' | 'dpdkVersionNumber'>;

/** One machine to look at. */
export interface Host {
  /** `/proc`, or a directory that looks like it. */
  readonly procDir: string;
  readonly addon: HostAddon;
  /** Whether primaries are also searched where processes have their files, not in one runtime root alone. */
  readonly searchesProcesses: boolean;
}

/**
 * This machine.
 * @throws DpcapError ERR_ADDON_LOAD
 */
export function systemHost(): Host {
  return { procDir: '/proc', addon: binding(), searchesProcesses: !process.env[ONLY_ROOT] };
}
