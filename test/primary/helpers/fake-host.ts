/** A machine made of a temp directory and a table of answers. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { LockHolder, MemzoneLayout, OpsLayout } from '../../../src/native/host-binding.js';
import type { Host } from '../../../src/primary/host.js';

export const LAYOUT: OpsLayout = {
  tableSize: 2112,
  numOpsOffset: 4,
  entriesOffset: 64,
  entrySize: 128,
  nameSize: 32,
  maxOps: 16,
};
export const ZONES: MemzoneLayout = { entrySize: 72, nameSize: 32, lengthOffset: 48 };
/** RTE_VERSION of 22.11.11. */
export const VERSION = 0x160b0b63;
const MAGIC = 19820526;

export interface FakeHostOptions {
  procDir?: string;
  /** By path of the `config` file; a path that is not here is not locked. An Error is thrown. */
  locks?: Record<string, LockHolder | Error>;
  /** By path of the socket, then by command; a path that is not here refuses. */
  answers?: Record<string, Record<string, unknown>>;
}

/** A host that answers from tables and counts connections. */
export function fakeHost(options: FakeHostOptions = {}): Host & { connections: string[][] } {
  const connections: string[][] = [];
  const telemetryAll = (path: string, commands: readonly string[]): string[] => {
    connections.push([...commands]);
    const answers = options.answers?.[path];
    if (!answers) throw Object.assign(new Error(`cannot connect to ${path}`), { code: 'ERR_SYSTEM', errno: 'ENOENT' });
    return commands.map((command) => {
      const answer = answers[command] ?? null;
      return typeof answer === 'string' ? answer : JSON.stringify({ [command.split(',')[0] as string]: answer });
    });
  };
  return {
    procDir: options.procDir ?? '/nonexistent',
    connections,
    searchesProcesses: true,
    librariesFor: () => ({ source: 'host', files: [] }),
    addon: {
      opsLayout: LAYOUT,
      memzoneLayout: ZONES,
      agentListener: () => 0,
      pdumpLimits: { ports: 32, queues: 1024, counterBytes: 64 },
      lockHolder(path) {
        const lock = options.locks?.[path] ?? { locked: false, pid: 0 };
        if (lock instanceof Error) throw lock;
        return lock;
      },
      telemetry: (path, command) => telemetryAll(path, [command])[0] as string,
      telemetryAll,
    },
  };
}

/** The head of a `config` file. */
export function configBytes(version = VERSION, magic = MAGIC): Buffer {
  const bytes = Buffer.alloc(64);
  bytes.writeUInt32LE(magic, 0);
  bytes.writeUInt32LE(version, 4);
  return bytes;
}

/** The bytes of a `fbarray_memzone` with room for `length` zones: the array, the mask of used ones, rounded up to pages. */
export function memzoneBytes(names: readonly string[], length = 2560): Buffer {
  const mask = length * ZONES.entrySize;
  const words = Math.ceil(length / 64);
  const bytes = Buffer.alloc(Math.ceil((mask + 8 + words * 8) / 4096) * 4096);
  bytes.writeUInt32LE(words, mask);
  names.forEach((name, i) => {
    bytes.write(name, i * ZONES.entrySize, 'latin1');
    const at = mask + 8 + (i >> 3);
    if (name !== '') bytes[at] = (bytes[at] as number) | (1 << (i & 7));
  });
  return bytes;
}

/** Makes the runtime directory of a shareable primary with pdump; `files` replace or, when null, remove. */
export function makeRuntimeDir(
  root: string,
  prefix: string,
  files: Record<string, Buffer | string | null> = {},
): string {
  const dir = join(root, prefix);
  mkdirSync(dir, { recursive: true });
  const all: Record<string, Buffer | string | null> = {
    config: configBytes(),
    mp_socket: '',
    hugepage_info: '',
    fbarray_memzone: memzoneBytes(['rte_eth_dev_data', 'rte_pdump_stats']),
    ...files,
  };
  for (const [name, content] of Object.entries(all)) if (content !== null) writeFileSync(join(dir, name), content);
  return dir;
}

/** Makes /proc/PID with what readProcess() looks at. */
export function makeProcess(procDir: string, pid: number, commandLine: string[] = ['app'], innerPid = pid): void {
  const dir = join(procDir, String(pid));
  mkdirSync(dir, { recursive: true });
  const fields = ['S', ...Array.from({ length: 18 }, () => '0'), '4200', '0'];
  writeFileSync(join(procDir, 'stat'), 'cpu 0\nbtime 1700000000\n');
  writeFileSync(join(dir, 'stat'), `${pid} (a) b) ${fields.join(' ')}\n`);
  writeFileSync(join(dir, 'cmdline'), commandLine.map((word) => `${word}\0`).join(''));
  writeFileSync(join(dir, 'comm'), `${commandLine[0]}\n`);
  writeFileSync(join(dir, 'status'), `Name:\tapp\nNSpid:\t${pid === innerPid ? pid : `${pid}\t${innerPid}`}\n`);
}

/** The bytes of a `struct rte_mempool_ops_table`. */
export function opsTableBytes(names: readonly string[], count = names.length): Buffer {
  const bytes = Buffer.alloc(LAYOUT.tableSize);
  bytes.writeUInt32LE(count, LAYOUT.numOpsOffset);
  names.forEach((name, i) => {
    bytes.write(name, LAYOUT.entriesOffset + i * LAYOUT.entrySize, 'latin1');
  });
  return bytes;
}

/** The table of Debian's testpmd, and that of a program that is linked with no mempool driver. */
export const TESTPMD_OPS = [
  'dpaa',
  'octeontx_fpavf',
  'dpaa2',
  'ring_mp_mc',
  'ring_sp_sc',
  'ring_mp_sc',
  'ring_sp_mc',
  'ring_mt_rts',
  'ring_mt_hts',
  'cn9k_mempool_ops',
  'cn10k_mempool_ops',
  'stack',
  'lf_stack',
  'bucket',
];
export const OWN_OPS = ['octeontx_fpavf', 'dpaa2', ...TESTPMD_OPS.slice(3, 9), 'dpaa', ...TESTPMD_OPS.slice(9)];
