/** The agent's library for a release of DPDK, and how an application gets it. */
import { DpcapError } from '../errors.js';
import { findBuilt, type Release } from '../native/addons.js';
import { lineOf, RELEASE_LINES } from '../native/releases.js';

/** The library for each line of releases that is here, newest first. */
export function agentLibraries(): { name: string; path: string }[] {
  return [...RELEASE_LINES].reverse().flatMap(({ abi, name }) => {
    const path = pathOf(abi);
    return path === undefined ? [] : [{ name, path }];
  });
}

/**
 * The library for applications of a release.
 * @throws DpcapError ERR_VERSION_MISMATCH when there is none
 */
export function agentLibrary({ number, text }: Release): string {
  const line = lineOf(number);
  const path = line && pathOf(line.abi);
  if (path !== undefined) return path;
  const have = agentLibraries().map(({ name }) => name);
  throw new DpcapError('ERR_VERSION_MISMATCH', `there is no agent for DPDK ${text} here`, {
    subject: text,
    hint: `there are agents for ${have.join(', ') || 'no release'}: install a package of dpcap that has it`,
  });
}

function pathOf(abi: number): string | undefined {
  return findBuilt(`libdpcap_agent.dpdk${abi}.so`);
}
