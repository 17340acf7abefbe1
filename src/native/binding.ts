/** Loads the native addon and types it. No other file loads the binary. */
import { createRequire } from 'node:module';
import { DpcapError } from '../errors.js';
import { projectFile } from '../system/location.js';
import { loadHint } from './addon-hint.js';
import type { CaptureBinding } from './capture-binding.js';
import type { FilterBinding } from './filter-binding.js';
import type { HostBinding, LifeBinding } from './host-binding.js';
import type { InterfaceBinding } from './interface-binding.js';
import type { PrimaryBinding } from './primary-binding.js';

/** All functions of the addon. */
export interface Binding
  extends FilterBinding,
    HostBinding,
    PrimaryBinding,
    CaptureBinding,
    InterfaceBinding,
    LifeBinding {
  /** The release of DPDK that the addon was built against, e.g. "22.11.11", and RTE_VERSION as a number. */
  readonly dpdkVersion: string;
  readonly dpdkVersionNumber: number;
  readonly pcapVersion: string;
}

const ADDON = projectFile('build/Release/dpcap.node');
let loaded: Binding | undefined;

/**
 * Returns the addon, which is loaded on first use (`--help` and `completion` work without it).
 * @throws DpcapError ERR_ADDON_LOAD when it was not built or DPDK's libraries are missing.
 */
export function binding(): Binding {
  if (loaded) return loaded;
  try {
    loaded = createRequire(import.meta.url)(ADDON) as Binding;
    return loaded;
  } catch (cause) {
    throw new DpcapError('ERR_ADDON_LOAD', `cannot load the native addon ${ADDON}: ${(cause as Error).message}`, {
      cause,
      subject: ADDON,
      hint: loadHint((cause as Error).message),
    });
  }
}
