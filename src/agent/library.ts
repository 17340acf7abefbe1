/** The agent's library for a release of DPDK, and how an application gets it. */
import { existsSync } from 'node:fs';
import { DpcapError } from '../errors.js';
import type { Release } from '../native/addons.js';
import { lineOf, RELEASE_LINES } from '../native/releases.js';
import { projectFile } from '../system/location.js';

/** The folders that may hold it: that of a checkout, and that of a package. */
const FOLDERS = ['build/Release', `prebuilds/linux-${process.arch}`];

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
  const file = `libdpcap_agent.dpdk${abi}.so`;
  return FOLDERS.map((folder) => projectFile(`${folder}/${file}`)).find((path) => existsSync(path));
}
