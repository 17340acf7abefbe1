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
  return libraryOf(lineOf(number)?.abi, text);
}

/**
 * The library for a process that has loaded a `librte_eal.so` of this number.
 * @throws DpcapError ERR_VERSION_MISMATCH when there is none
 */
export function agentLibraryForAbi(abi: number): string {
  return libraryOf(abi, RELEASE_LINES.find((line) => line.abi === abi)?.name ?? `with librte_eal.so.${abi}`);
}

function libraryOf(abi: number | undefined, text: string): string {
  const path = abi === undefined ? undefined : pathOf(abi);
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
