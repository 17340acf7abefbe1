/**
 * Finds the DPDK libraries with which to join a primary: they have to be of the very same release. The host's are used
 * where they fit; else the primary's own, which are by construction (it runs in a container, or its libraries were
 * upgraded under it); or those of a folder that the user gives (for a primary that is linked statically).
 */
import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { DpcapError } from '../../errors.js';
import { pdumpAddon, type Release } from '../../native/addons.js';
import { lineOf } from '../../native/releases.js';
import { type MappedFile, mappedFiles, parseMaps } from '../../system/maps.js';

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
  if (folder) return folderLibraries(folder, owner.version);
  if (!(host instanceof Error) && host.number === owner.version.number) return { source: 'host', files: [] };
  const own = owner.pid === undefined ? [] : ownLibraries(owner.pid, owner.version, procDir);
  if (own.length > 0) return { source: 'primary', files: own };
  return host instanceof Error ? host : mismatch(owner.version, host);
}

function hostRelease(theirs: Release): Release | DpcapError {
  try {
    const { dpdkVersion, dpdkVersionNumber } = pdumpAddon(theirs);
    return { number: dpdkVersionNumber, text: dpdkVersion };
  } catch (error) {
    return error as DpcapError;
  }
}

function mismatch(theirs: Release, ours: Release): DpcapError {
  const message = `the primary runs DPDK ${theirs.text}, the libraries here are ${ours.text}, and it is linked statically`;
  return new DpcapError('ERR_VERSION_MISMATCH', message, {
    subject: theirs.text,
    hint: `install the libraries of DPDK ${theirs.text}, or give their folder with --dpdk-libs`,
  });
}

/** What an addon needs of DPDK, and the handlers of rings that a mempool of dpcap is made with. */
const WANTED =
  /^librte_(?:eal|log|argparse|kvargs|telemetry|ring|mempool|mbuf|net|meter|ethdev|bpf|pcapng|pdump|mempool_ring)\.so\./;

const suffix = (release: Release): string => `.so.${lineOf(release.number)?.abi}`;

/**
 * The libraries that the primary itself has mapped, under names that lead to those very files: through its own root
 * directory, or where they have been replaced, through its mappings.
 */
function ownLibraries(pid: number, release: Release, procDir: string): string[] {
  const dir = join(procDir, String(pid));
  const mapped = mappedFiles(parseMaps(readText(join(dir, 'maps')))).filter(
    ({ path }) => WANTED.test(basename(path)) && basename(path).includes(suffix(release)),
  );
  const files = mapped.map((file) => openable(file, dir));
  return files.every((file) => file !== undefined) ? files : [];
}

function openable({ path, inode, mappings }: MappedFile, dir: string): string | undefined {
  const within = join(dir, 'root', path);
  if (inodeOf(within) === inode) return within;
  const [first] = mappings;
  if (!first) return undefined;
  const link = join(dir, 'map_files', `${first.start.toString(16)}-${first.end.toString(16)}`);
  return inodeOf(link) === inode ? link : undefined;
}

/** The libraries in a folder; drivers may be in a folder of their own below it, as Debian has it. */
function folderLibraries(folder: string, release: Release): Libraries | DpcapError {
  const end = suffix(release);
  const places = [folder, ...subfolders(join(folder, 'dpdk'))];
  const files = places.flatMap((place) =>
    names(place)
      .filter((name) => WANTED.test(name) && name.endsWith(end))
      .map((name) => join(place, name)),
  );
  if (files.some((file) => basename(file).startsWith('librte_eal.'))) return { source: 'folder', files };
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

function readText(path: string): string {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return ''; // it has ended, or belongs to another user
  }
}

function inodeOf(path: string): number | undefined {
  try {
    return statSync(path).ino;
  } catch {
    return undefined;
  }
}
