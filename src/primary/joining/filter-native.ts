/** The functions that compile a filter for a primary, with the trial load that its own release of DPDK makes. */
import type { FilterNative } from '../../filter/loadable.js';
import { hostAddon, type PdumpAddon, pdumpAddon, pdumpAddons } from '../../native/addons.js';
import { findPrimaries, isAlive } from '../discover.js';
import { systemHost } from '../host.js';
import { runtimeRoot } from '../runtime-dir.js';

/**
 * Returns them. The trial is made when a program is there: by the release of the primary with this prefix, or of the
 * only one; where that cannot be, by the newest release that is here; where there is none, not at all.
 * @throws DpcapError ERR_ADDON_LOAD
 */
export function filterNative(filePrefix?: string): FilterNative {
  const host = hostAddon();
  let found: PdumpAddon | undefined | null = null;
  const verifyExtended = (program: Uint8Array, timeoutMs: number): void => {
    if (found === null) found = addonFor(filePrefix);
    found?.verifyExtended(program, timeoutMs);
  };
  return Object.assign(Object.create(host) as typeof host, { verifyExtended });
}

function addonFor(filePrefix: string | undefined): PdumpAddon | undefined {
  try {
    const here = findPrimaries(runtimeRoot(), { ...systemHost(), searchesProcesses: false });
    const wanted = here.filter((one) => isAlive(one) && (filePrefix === undefined || one.filePrefix === filePrefix));
    const [version] = wanted.length === 1 ? [wanted[0]?.version] : [];
    if (version) return pdumpAddon(version);
  } catch {
    // What is wrong with the primary, or with its release, is said when it is picked.
  }
  return pdumpAddons().find((one) => !(one.addon instanceof Error))?.addon as PdumpAddon | undefined;
}
