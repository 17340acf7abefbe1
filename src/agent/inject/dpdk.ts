/** What a process has of DPDK, and of dpcap's agent, by what it has mapped. */
import { closeSync, openSync, readFileSync, readSync, statSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Release } from '../../native/addons.js';
import { lineOf } from '../../native/releases.js';
import { CONFIG_HEAD_SIZE, parseConfig } from '../../primary/config-file.js';
import { findPrimaries } from '../../primary/discover.js';
import { systemHost } from '../../primary/host.js';
import { runtimeRoot } from '../../primary/runtime-dir.js';
import { findExported } from '../../system/elf.js';
import { type MappedFile, mappedFiles, parseMaps } from '../../system/maps.js';
import { attempt } from '../../system/process.js';
import { openMapped } from '../../system/process-memory.js';
import { readRegular } from '../../system/safe-file.js';

/** What was found. */
export interface DpdkInside {
  is64Bit: boolean;
  /** Whether the agent would find DPDK's functions there. */
  isThere: boolean;
  /** The number in the names of the libraries of its release; undefined where that cannot be told. */
  abi: number | undefined;
  /** Its runtime directory as it names it, where it was found. */
  runtimeDir: string | undefined;
  /** Whether a library of the agent is mapped. */
  hasAgentLibrary: boolean;
}

const EAL = /\/librte_eal\.so\.(\d+)/;
const AGENT = /libdpcap_agent\.dpdk\d+\.so/;
const CONFIG = /\/dpdk\/[^/]+\/config$/;
const ELF_CLASS = 4;
const ELFCLASS64 = 2;

/** Looks at a process. @throws Error when it has ended, or may not be looked at */
export function dpdkInside(pid: number, procDir = '/proc'): DpdkInside {
  const dir = join(procDir, String(pid));
  const mappings = parseMaps(readFileSync(join(dir, 'maps'), 'latin1'));
  const paths = [...new Set(mappings.map(({ path }) => path))];
  const shared = paths.map((path) => EAL.exec(path)?.[1]).find((number) => number !== undefined);
  const config = paths.find((path) => CONFIG.test(path));
  const primary = config === undefined ? primaryOf(pid) : undefined;
  const version = config === undefined ? primary?.version : versionIn(join(dir, 'root', config));
  return {
    is64Bit: elfClass(join(dir, 'exe')) === ELFCLASS64,
    isThere: shared !== undefined || isInProgram(mappedFiles(mappings), dir),
    abi: shared === undefined ? version && lineOf(version.number)?.abi : Number(shared),
    runtimeDir: config === undefined ? primary?.runtimeDir : dirname(config),
    hasAgentLibrary: paths.some((path) => AGENT.test(path)),
  };
}

/** An application that keeps its configuration to itself is found by its telemetry. */
function primaryOf(pid: number): { version: Release | undefined; runtimeDir: string } | undefined {
  return attempt(() => findPrimaries(runtimeRoot(), systemHost()).find((one) => one.pid === pid));
}

function versionIn(config: string): Release | undefined {
  return attempt(() => parseConfig(readRegular(config, 0, CONFIG_HEAD_SIZE).bytes).version);
}

/** Whether DPDK is linked into the program, and found there by dlsym(). */
function isInProgram(files: readonly MappedFile[], dir: string): boolean {
  const inode = statSync(join(dir, 'exe')).ino;
  const program = files.find((file) => file.inode === inode);
  const source = program && attempt(() => openMapped(program, dir));
  if (!source) return false;
  try {
    return findExported(source, 'rte_eal_init').length > 0;
  } finally {
    source.close();
  }
}

function elfClass(path: string): number | undefined {
  const fd = openSync(path, 'r');
  try {
    const bytes = Buffer.alloc(ELF_CLASS + 1);
    readSync(fd, bytes, 0, bytes.length, 0);
    return bytes[ELF_CLASS];
  } finally {
    closeSync(fd);
  }
}
