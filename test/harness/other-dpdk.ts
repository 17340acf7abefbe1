/**
 * Primaries of releases of DPDK that this machine does not have: what it has, copied, with another release's number in the
 * places where DPDK keeps its own. Everything else about them is real, so they do what that release would for as long as
 * nobody joins them with another one.
 */
import { chmodSync, copyFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { type DpdkVersion, versionFromNumber } from '../../src/primary/config-file.js';
import { findSymbol, readSegments } from '../../src/system/elf.js';
import { installedDpdk } from '../helpers/native.js';
import { built } from './built.js';

const DPDK_LIBDIR = '/usr/lib/x86_64-linux-gnu';
/** What dpcap uses of DPDK, and what a primary needs for it to be used. */
const LIBRARIES = [
  ...['log', 'argparse', 'kvargs', 'telemetry', 'eal', 'ring', 'rcu', 'mempool', 'mbuf', 'net', 'meter', 'ethdev'],
  ...['bpf', 'mempool_ring', 'pdump', 'pcapng'],
];
/** Of a release's number, and their places in it. */
const PARTS = [
  ['year', 24],
  ['month', 16],
  ['minor', 8],
] as const;
/** Of x86-64's `mov $N, %eax`. */
const MOV_EAX = 0xb8;

/** Why there can be no such primaries here; false when there can. */
export function cannotCopyDpdk(): string | false {
  const needed = [`librte_eal.so.${abi()}`, 'librte_eal.a'].map((name) => join(DPDK_LIBDIR, name));
  const missing = needed.filter((path) => !existsSync(path));
  return missing.length > 0 && `not there: ${missing.join(', ')}`;
}

/** The release that is installed here. */
export function installedRelease(): DpdkVersion {
  const { number, text } = installedDpdk();
  return { number, text };
}

/** The final release YEAR.MONTH.MINOR. */
export function release(year: number, month: number, minor: number): DpdkVersion {
  const number = ((year << 24) | (month << 16) | (minor << 8) | (installedRelease().number & 0xff)) >>> 0;
  return versionFromNumber(number) as DpdkVersion;
}

/** The minor release before the installed one. */
export function previousMinor(): DpdkVersion {
  const { number } = installedRelease();
  return versionFromNumber(number - 0x100) as DpdkVersion;
}

/** Copies the libraries of DPDK into a folder, as those of another release. Returns the folder. */
export function copyLibraries(folder: string, as: DpdkVersion): string {
  mkdirSync(folder, { recursive: true });
  for (const name of LIBRARIES.map((library) => `librte_${library}.so.${abi()}`)) {
    if (existsSync(join(DPDK_LIBDIR, name))) copyFileSync(join(DPDK_LIBDIR, name), join(folder, name));
  }
  const eal = join(folder, `librte_eal.so.${abi()}`);
  const bytes = readFileSync(eal);
  renumber(bytes, as);
  for (const [part, shift] of PARTS) {
    const at = fileOffset(bytes, `rte_version_${part}`);
    if (bytes[at] !== MOV_EAX) throw new Error(`rte_version_${part}() is not what it was`);
    bytes.writeUInt32LE((as.number >>> shift) & 0xff, at + 1);
  }
  writeFileSync(eal, bytes);
  return folder;
}

/** A copy of the primary that is linked statically, as one of another release. Returns its path. */
export function copyStaticPrimary(folder: string, as: DpdkVersion): string {
  const path = join(folder, 'dpdk-static-primary');
  const bytes = readFileSync(built('dpdk-static-primary'));
  renumber(bytes, as);
  writeFileSync(path, bytes);
  chmodSync(path, 0o755);
  return path;
}

/** A copy of a program that does not export one symbol. Returns its path. */
export function copyWithout(symbol: string, program: string, folder: string): string {
  const path = join(folder, program);
  const bytes = readFileSync(built(program));
  const name = Buffer.from(`\0${symbol}\0`);
  let at = bytes.indexOf(name);
  if (at === -1) throw new Error(`there is no ${symbol} in ${program}`);
  for (; at !== -1; at = bytes.indexOf(name, at + 1)) bytes.write('_', at + 1, 'latin1');
  writeFileSync(path, bytes);
  chmodSync(path, 0o755);
  return path;
}

/** Has the copied libraries of `folder` look for their plugins in another folder, whose path is a short one. */
export function movePlugins(folder: string, to: string): void {
  const eal = join(folder, `librte_eal.so.${abi()}`);
  const bytes = readFileSync(eal);
  const path = Buffer.from(`\0${pluginFolder()}\0`);
  const at = bytes.indexOf(path);
  if (at === -1 || to.length + 2 > path.length) throw new Error(`${pluginFolder()} cannot become ${to} in ${eal}`);
  bytes.fill(0, at, at + path.length).write(to, at + 1, 'latin1');
  writeFileSync(eal, bytes);
}

/** Where this system's DPDK has its plugins. */
export function pluginFolder(): string {
  return `${DPDK_LIBDIR}/dpdk/pmds-${abi()}.0`;
}

/** Replaces RTE_VERSION where EAL writes it into its `config` and compares it with that of others. */
function renumber(bytes: Buffer, as: DpdkVersion): void {
  const [from, to] = [Buffer.alloc(4), Buffer.alloc(4)];
  from.writeUInt32LE(installedRelease().number);
  to.writeUInt32LE(as.number);
  const places = [];
  for (let at = bytes.indexOf(from); at !== -1; at = bytes.indexOf(from, at + 1)) places.push(at);
  if (places.length === 0) throw new Error('RTE_VERSION is not in it');
  for (const at of places) to.copy(bytes, at);
}

function fileOffset(bytes: Buffer, symbol: string): number {
  const source = {
    size: bytes.length,
    read: (offset: number, length: number) => bytes.subarray(offset, offset + length),
  };
  const [found] = findSymbol(source, symbol);
  const segment = readSegments(source)?.find(
    ({ address, fileSize }) => found && found.address >= address && found.address < address + fileSize,
  );
  if (!found || !segment) throw new Error(`there is no ${symbol} in it`);
  return Number(found.address - segment.address + segment.offset);
}

function abi(): number {
  return 23; // that of Debian 12: the chroots of other suites have no static libraries
}
