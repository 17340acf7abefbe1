/** Adds up what the compressed files of a ring say of themselves, before the ring gives them up. */
import { spawnSync } from 'node:child_process';
import { closeSync, fstatSync, openSync, readSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { runDpcap } from '../../test/harness/processes.js';
import { readPcap } from '../../test/helpers/pcap-file.js';
import { closingStatistics } from '../../test/helpers/pcapng-statistics.js';

/** Where a frame of zstd begins: the file's end, with the statistics, is a frame of its own. */
const FRAME = Buffer.from([0x28, 0xb5, 0x2f, 0xfd]);
const TAIL_BYTES = 64 * 1024;
/** Of a packet of bench/primary.c: behind the headers its time, then its number. */
const AT_NUMBER = 14 + 20 + 8 + 8;

export class RingLedger {
  readonly #folder: string;
  readonly #counts = new Map<string, number>();
  #first: bigint | undefined;

  /** @param folder for what is unpacked */
  constructor(folder: string) {
    this.#folder = folder;
  }

  get files(): number {
    return this.#counts.size;
  }

  /** Packets that all files together say they have. */
  get packets(): number {
    return [...this.#counts.values()].reduce((sum, packets) => sum + packets, 0);
  }

  /** Enters the finished files that are new. */
  async enter(paths: readonly string[]): Promise<void> {
    for (const path of paths) {
      if (this.#counts.has(path)) continue;
      this.#counts.set(path, this.#packetsIn(path));
      this.#first ??= await this.#numberIn(path, 0);
    }
  }

  /** How many packets were sent from the first that is in a file to the last, both included. */
  async sent(): Promise<number> {
    const [path, packets] = [...this.#counts].at(-1) ?? ['', 0];
    return Number((await this.#numberIn(path, packets - 1)) - (this.#first ?? 0n)) + 1;
  }

  #packetsIn(path: string): number {
    const tail = readTail(path, TAIL_BYTES);
    const { stdout } = spawnSync('zstd', ['-dc'], { input: tail.subarray(tail.lastIndexOf(FRAME)) });
    const unpacked = join(this.#folder, 'tail');
    writeFileSync(unpacked, stdout);
    const packets = closingStatistics(unpacked).reduce((sum, { delivered }) => sum + delivered, 0);
    rmSync(unpacked);
    return packets;
  }

  /** The number that the sender gave to a packet of a file. */
  async #numberIn(path: string, index: number): Promise<bigint> {
    const one = join(this.#folder, 'one.pcap');
    const { code, stderr } = await runDpcap(['-r', path, '--skip', String(index), '-c', '1', '-w', one]);
    const [packet] = code === 0 ? readPcap(one).packets : [];
    if (!packet) throw new Error(`no packet ${index} in ${path}: ${stderr}`);
    rmSync(one);
    return packet.data.readBigUInt64LE(AT_NUMBER);
  }
}

function readTail(path: string, most: number): Buffer {
  const fd = openSync(path, 'r');
  try {
    const { size } = fstatSync(fd);
    const tail = Buffer.alloc(Math.min(size, most));
    readSync(fd, tail, 0, tail.length, size - tail.length);
    return tail;
  } finally {
    closeSync(fd);
  }
}
