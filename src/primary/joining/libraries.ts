/**
 * Finds the DPDK libraries with which to join a primary: they have to be of the very same release. The host's are used
 * where they fit; else the primary's own, which are by construction (it runs in a container, or its libraries were
 * upgraded under it); or those of a folder that the user gives (for a primary that is linked statically).
 */
import { existsSync, readdirSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { DpcapError } from '../../errors.js';
import { pdumpAddon, type Release } from '../../native/addons.js';
import { lineOf } from '../../native/releases.js';
import { type LibraryFile, ownLibraries } from './own-libraries.js';

/** The environment variable that `--dpdk-libs` sets: a folder with the libraries of DPDK. */
export const LIBRARIES_FOLDER = 'DPCAP_DPDK_LIBS';

/** Libraries for one primary. */
export interface Libraries {
  source: 'host' | 'primary' | 'folder';
  /** Files to load before the addon; none for the host's, which the loader finds. */
  files: string[];
}

/** The process whose libraries may be used. */
interface Owner {
  pid: number | undefined;
  version: Release;
}

/**
 * Returns the libraries for a primary of this release, or why there are none.
 * @param host the release of the host's libraries, or why they cannot be used; replaced only by tests
 */
export function librariesFor(
  owner: Owner,
  procDir = '/proc',
  host: Release | DpcapError = hostRelease(owner.version),
): Libraries | DpcapError {
  const folder = process.env[LIBRARIES_FOLDER];
  if (folder) return folderLibraries(resolve(folder), owner.version);
  if (!(host instanceof Error) && host.number === owner.version.number) return { source: 'host', files: [] };
  const own = owner.pid === undefined ? undefined : librariesOf(owner.pid, owner.version, procDir);
  if (own instanceof DpcapError) return own;
  if (own && own.length > 0) return { source: 'primary', files: own };
  return host instanceof Error ? host : mismatch(owner.version, host, own !== undefined);
}

function hostRelease(theirs: Release): Release | DpcapError {
  try {
    const { dpdkVersion, dpdkVersionNumber } = pdumpAddon(theirs);
    return { number: dpdkVersionNumber, text: dpdkVersion };
  } catch (error) {
    return error as DpcapError;
  }
}

function mismatch(theirs: Release, ours: Release, isStatic: boolean): DpcapError {
  const without = isStatic ? 'it is linked statically' : 'its own cannot be read from here';
  const message = `the primary runs DPDK ${theirs.text}, the libraries here are ${ours.text}, and ${without}`;
  return new DpcapError('ERR_VERSION_MISMATCH', message, {
    subject: theirs.text,
    hint: `install the libraries of DPDK ${theirs.text}, or give their folder with --dpdk-libs`,
  });
}

/**
 * What an addon needs of DPDK (22.11 to 25.11), and the handlers of rings that a mempool of dpcap is made with. Each comes
 * after those that it needs: the loader would otherwise take one of the same name from this system, of another release.
 */
const LOAD_ORDER = [
  ...['log', 'argparse', 'kvargs', 'telemetry', 'eal', 'ring', 'rcu', 'mempool', 'mbuf', 'net', 'meter', 'ethdev'],
  ...['bpf', 'mempool_ring'],
];

function orderOf(name: string): number {
  return LOAD_ORDER.indexOf(/^librte_(\w+)\.so\./.exec(name)?.[1] ?? '');
}

const suffix = (release: Release): string => `.so.${lineOf(release.number)?.abi}`;

const isEal = ({ name }: LibraryFile): boolean => name.startsWith('librte_eal.');

/** The files in the order to load them in. */
function inOrder(libraries: LibraryFile[]): string[] {
  return libraries.sort((a, b) => orderOf(a.name) - orderOf(b.name)).map(({ file }) => file);
}

/** See ownLibraries(); none when the primary is linked statically. */
function librariesOf(pid: number, release: Release, procDir: string): string[] | DpcapError | undefined {
  const end = suffix(release);
  const isWanted = (name: string): boolean => orderOf(name) >= 0 && `${name}.`.includes(`${end}.`);
  const own = ownLibraries(pid, isWanted, procDir);
  if (!Array.isArray(own)) return own;
  return own.some(isEal) ? inOrder(own) : [];
}

/** The libraries in a folder; drivers may be in a folder of their own below it, as Debian has it. */
function folderLibraries(folder: string, release: Release): Libraries | DpcapError {
  const end = suffix(release);
  const places = [folder, ...subfolders(join(folder, 'dpdk'))];
  const files = places.flatMap((place) =>
    names(place)
      .filter((name) => orderOf(name) >= 0 && name.endsWith(end))
      .map((name) => ({ name, file: join(place, name) })),
  );
  if (files.some(isEal)) return { source: 'folder', files: inOrder(files) };
  return new DpcapError('ERR_ADDON_LOAD', `there is no librte_eal${end} in ${folder}`, {
    subject: folder,
    errno: 'ENOENT',
    hint: `give the folder with the libraries of DPDK ${release.text}`,
  });
}

function subfolders(folder: string): string[] {
  return names(folder)
    .filter((name) => name.startsWith('pmds-'))
    .map((name) => join(folder, name));
}

function names(folder: string): string[] {
  return existsSync(folder) ? readdirSync(folder).sort() : [];
}
