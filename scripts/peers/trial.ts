/** One tool at work on one primary, and what came of it, whatever that is. */
import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import type { Request, Tool } from '../../bench/tools.js';
import { countPackets, type Running, run, start, startTestpmd, type Testpmd } from '../../test/harness/index.js';

/** A tool that captures nothing has had its time. */
const MOST_MS = 12_000;
const END_MS = 40_000;
/** More than the header of any file. */
const SOME_BYTES = 4096;
const ANSWER_MS = 10_000;

/** A primary with one port at full load, and a folder for files. */
export class Trial {
  readonly output: string;

  private constructor(
    readonly tool: Tool,
    readonly primary: Testpmd,
    readonly folder: string,
  ) {
    this.output = join(folder, 'out.pcap');
  }

  /**
   * Starts the primary.
   * @param vdev makes its port; may put files into the folder
   * @param memoryMb its huge pages
   */
  static async begin(tool: Tool, vdev: (folder: string) => string, memoryMb: number): Promise<Trial> {
    const folder = mkdtempSync(join(tmpdir(), 'dpcap-peers-'));
    const primary = await startTestpmd({ vdevs: [vdev(folder)], memoryMb, args: ['--forward-mode=rxonly'] });
    await primary.command('start');
    return new Trial(tool, primary, folder);
  }

  /** Starts the tool. */
  capture(words: Partial<Request> = {}): Running {
    const command = this.tool.command({ prefix: this.primary.prefix, output: this.output, direction: 'rx', ...words });
    if (command === undefined) throw new Error(`${this.tool.name} has no words for ${JSON.stringify(words)}`);
    // One of them writes a gigabyte of messages when it finds that it can capture nothing.
    return start('sh', ['-c', 'exec "$@" >/dev/null 2>&1', 'sh', ...command]);
  }

  /** Resolves when there are packets in the file, the tool or the primary has ended, or after some time. */
  firstPackets(running: Running): Promise<void> {
    return this.#until(running, () => this.#fileBytes() >= SOME_BYTES);
  }

  /** Resolves when the tool or the primary has ended, or after some time. */
  untilEnded(running: Running): Promise<void> {
    return this.#until(running, () => false);
  }

  /** Sends a signal. Resolves with whether it ended by itself, after some time. */
  async end(running: Running, signal: NodeJS.Signals = 'SIGINT'): Promise<boolean> {
    return running.stop(signal, END_MS).then(
      () => true,
      () => false,
    );
  }

  /** How many packets of the file match; 0 when there is none that can be read. */
  packets(expression = ''): number {
    try {
      return countPackets(this.output, expression);
    } catch {
      return 0;
    }
  }

  /** When the first packet of the file was seen, seconds since 1970; undefined when there is none. */
  firstTime(): number | undefined {
    try {
      const time = Number.parseFloat(run('tcpdump', ['-tt', '-nn', '-c', '1', '-Z', 'root', '-r', this.output]));
      return Number.isNaN(time) ? undefined : time;
    } catch {
      return undefined;
    }
  }

  /** Whether the primary still answers at its prompt and receives packets. */
  async livesOn(): Promise<boolean> {
    const late = delay(ANSWER_MS, false, { ref: false });
    const answers = (async (): Promise<boolean> => {
      await this.primary.command('port attach net_null9');
      const { rxPackets } = await this.primary.forwarding();
      while ((await this.primary.forwarding()).rxPackets <= rxPackets) await delay(10);
      return true;
    })().catch(() => false);
    return Promise.race([answers, late]);
  }

  /** Removes what was written. */
  clear(): void {
    for (const file of this.#files()) rmSync(file);
  }

  /** Ends the primary and removes all files. */
  async close(): Promise<void> {
    await this.primary.stop();
    rmSync(this.folder, { recursive: true, force: true });
  }

  async #until(running: Running, isReached: () => boolean): Promise<void> {
    const deadline = performance.now() + MOST_MS;
    const goesOn = (): boolean => running.alive() && this.primary.alive() && performance.now() < deadline;
    while (goesOn() && !isReached()) await delay(5);
  }

  #fileBytes(): number {
    const sizes = this.#files().map((file) => statSync(file, { throwIfNoEntry: false })?.size ?? 0);
    return sizes.reduce((sum, size) => sum + size, 0);
  }

  /** The file under its name, or under that of an unfinished one. */
  #files(): string[] {
    const names = readdirSync(this.folder).filter((name) => name.startsWith(basename(this.output)));
    return names.map((name) => join(this.folder, name));
  }
}
