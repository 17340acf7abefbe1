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
import { type LibraryFile, ownLibraries, UNREADABLE, type Unusable } from './own-libraries.js';

/** The environment variable that `--dpdk-libs` sets: a folder with the libraries of DPDK. */
export const LIBRARIES_FOLDER = 'DPCAP_DPDK_LIBS';

/** Libraries for one primary. */
export interface Libraries {
  source: 'host' | 'primary' | 'folder';
  /** Files to load before the addon; none for the host's, which the loader finds. */
  files: string[];
  /** Why they are the primary's own; a clause about this system. */
  why?: string;
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
  if (host instanceof DpcapError && host.code === 'ERR_VERSION_MISMATCH') return host; // no library would help
  const folder = process.env[LIBRARIES_FOLDER];
  if (folder) return folderLibraries(resolve(folder), owner.version);
  if (!(host instanceof Error) && host.number === owner.version.number) return { source: 'host', files: [] };
  const own = owner.pid === undefined ? UNREADABLE : librariesOf(owner.pid, owner.version, procDir);
  if (Array.isArray(own)) return { source: 'primary', files: own, why: present(owner.version, host) };
  return mismatch(owner.version, host, own);
}

/** Words for where the libraries are from, after "DPDK 22.11.10"; undefined for those of this system. */
export function origin({ source, files }: Libraries): string | undefined {
  if (source === 'host') return undefined;
  if (source === 'folder') return 'with the libraries of --dpdk-libs';
  const areGone = files.some((file) => file.includes('/map_files/'));
  return areGone ? 'with its own libraries, deleted or replaced since it started' : 'with its own libraries';
}

/** The same in full, and why it is these: for people who ask. */
export function originAndReason(libraries: Libraries): string {
  const words = origin(libraries) ?? 'with the libraries of this system, which are of that release';
  return libraries.why === undefined ? words : `${words} (${libraries.why})`;
}

function hostRelease(theirs: Release): Release | DpcapError {
  try {
    const { dpdkVersion, dpdkVersionNumber } = pdumpAddon(theirs);
    return { number: dpdkVersionNumber, text: dpdkVersion };
  } catch (error) {
    return error as DpcapError;
  }
}

/** Says what the primary has, what this system has, and what to do. */
function mismatch(theirs: Release, host: Release | DpcapError, own: Unusable): DpcapError {
  const isBroken = host instanceof DpcapError && host.errno !== 'ENOENT';
  const install = isBroken
    ? host.hint
    : `install the libraries of DPDK ${theirs.text} (librte-*), or give their folder with --dpdk-libs`;
  return new DpcapError(
    host instanceof DpcapError && own.code !== 'ERR_PERMISSION' ? host.code : own.code,
    `it runs DPDK ${theirs.text}, ${present(theirs, host)}, and ${own.why}`,
    {
      subject: own.subject ?? theirs.text,
      errno: host instanceof DpcapError ? host.errno : undefined,
      hint: [own.wayOut, install].filter((one) => one !== undefined).join('; or '),
    },
  );
}

function present(theirs: Release, host: Release | DpcapError): string {
  if (!(host instanceof DpcapError)) return `the libraries of this system are ${host.text}`;
  if (host.errno === 'ENOENT') return `this system has no libraries of that release (librte_*${suffix(theirs)})`;
  return `those of this system cannot be used (${host.message})`;
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

const STATIC: Unusable = { why: 'it is linked statically', code: 'ERR_VERSION_MISMATCH' };

function librariesOf(pid: number, release: Release, procDir: string): string[] | Unusable {
  const end = suffix(release);
  const isWanted = (name: string): boolean => orderOf(name) >= 0 && `${name}.`.includes(`${end}.`);
  const own = ownLibraries(pid, isWanted, procDir);
  if (!Array.isArray(own)) return own;
  return own.some(isEal) ? inOrder(own) : STATIC;
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
