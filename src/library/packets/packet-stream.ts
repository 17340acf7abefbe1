/**
 * Packets on their way from an engine to the program. What comes is always taken, so that a program that is slow holds
 * nobody up: so many bytes wait for it, and what comes then is lost, and counted.
 */
import type { Readable } from 'node:stream';
import { DpcapError, UsageError } from '../../errors.js';
import type { Receiver } from '../../supervisor/engine-process.js';
import { PacketLosses } from './packet-losses.js';
import { BlockJoiner, headsIn, interfacesIn, type Packet, packetsIn } from './pcapng-blocks.js';

export class PacketStream implements AsyncIterable<Packet[]>, Receiver {
  readonly losses = new PacketLosses();
  readonly #memoryBytes: number;
  readonly #left: () => void;
  readonly #waiting: Buffer[] = [];
  #waitingBytes = 0;
  #interfaces: string[] = [];
  #stream: Readable | undefined;
  #complete: Promise<void> = Promise.resolve();
  #error: DpcapError | undefined;
  #isEnded = false;
  #hasLeft = false;
  #isRead = false;
  #wake: () => void = () => {};

  /**
   * @param memoryBytes of records that may wait
   * @param left is called when the program has left its loop: it wants no more packets
   */
  constructor(memoryBytes: number, left: () => void) {
    this.#memoryBytes = memoryBytes;
    this.#left = left;
  }

  /** Why no more packets could be taken; undefined when all is well. */
  get error(): DpcapError | undefined {
    return this.#error;
  }

  receive(stream: Readable): void {
    const joiner = new BlockJoiner();
    this.#stream = stream;
    this.#interfaces = [];
    stream.on('data', (piece: Buffer) => {
      try {
        this.#take(joiner.join(piece));
      } catch (cause) {
        this.#fail(stream, cause);
      }
    });
    this.#complete = new Promise((resolve) => {
      stream.once('close', resolve);
      stream.once('error', (cause) => this.#fail(stream, cause));
    });
  }

  /** Resolves when everything that the engine wrote has been taken. */
  async complete(): Promise<void> {
    await this.#complete;
  }

  /** No more packets come: also from an engine that cannot end. */
  end(): void {
    this.#stream?.destroy();
    this.#isEnded = true;
    this.#wake();
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<Packet[], void, undefined> {
    if (this.#isRead) throw new UsageError('packets: they can be read once', { subject: 'packets' });
    this.#isRead = true;
    try {
      while (true) {
        const blocks = this.#waiting.shift();
        if (blocks) yield this.#opened(blocks);
        else if (this.#isEnded) return;
        else await this.#more();
      }
    } finally {
      this.#leave();
    }
  }

  #opened(blocks: Buffer): Packet[] {
    this.#waitingBytes -= blocks.length;
    return packetsIn(blocks, this.#interfaces);
  }

  #take(blocks: Buffer): void {
    if (blocks.length === 0) return;
    this.#interfaces.push(...interfacesIn(blocks));
    if (headsIn(blocks).next().done) return; // the head of the stream
    if (this.#hasLeft || this.#waitingBytes + blocks.length > this.#memoryBytes) {
      this.losses.add(headsIn(blocks));
      return;
    }
    this.#waiting.push(blocks);
    this.#waitingBytes += blocks.length;
    this.#wake();
  }

  /** What the program did not come to see is lost, as what comes after it. */
  #leave(): void {
    this.#hasLeft = true;
    for (const blocks of this.#waiting.splice(0)) this.losses.add(headsIn(blocks));
    this.#waitingBytes = 0;
    if (!this.#isEnded) this.#left();
  }

  #fail(stream: Readable, cause: unknown): void {
    this.#error ??= new DpcapError('ERR_SINK_WRITE', `the packets cannot be read: ${(cause as Error).message}`, {
      cause,
    });
    stream.destroy();
    this.#left();
  }

  #more(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }
}
