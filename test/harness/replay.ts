/** A primary that replays pcap files through its ports, from their start, each time it is asked to. */
import { setTimeout as delay } from 'node:timers/promises';
import { startTestpmd, type Testpmd } from './testpmd.js';

const PLAY_TIMEOUT_MS = 30_000;

/** What a replaying primary does with what it receives. */
export interface ReplayOptions {
  /** testpmd's forward mode; `io` sends what port 0 receives to port 1 and the other way round. Default `rxonly`. */
  mode?: 'rxonly' | 'io';
  memoryMb?: number;
  /** More of testpmd's application arguments. */
  args?: string[];
  /** More environment. */
  env?: NodeJS.ProcessEnv;
}

export class Replay {
  readonly testpmd: Testpmd;
  readonly #ports: number;
  readonly #packets: number;
  #played = false;

  /** Use {@link startReplay}. */
  constructor(testpmd: Testpmd, ports: number, packets: number) {
    this.testpmd = testpmd;
    this.#ports = ports;
    this.#packets = packets;
  }

  /** Plays all files once, and resolves when every packet has passed. Captures that run now see exactly these. */
  async play(): Promise<void> {
    if (this.#played) await this.#rewind();
    this.#played = true;
    await this.testpmd.command('start');
    const deadline = Date.now() + PLAY_TIMEOUT_MS;
    for (;;) {
      const { rxPackets } = await this.testpmd.forwarding();
      if (rxPackets >= this.#packets) return;
      if (Date.now() > deadline) throw new Error(`${rxPackets} of ${this.#packets} packets were replayed`);
      await delay(5);
    }
  }

  /** net_pcap opens its files when a port starts. */
  async #rewind(): Promise<void> {
    await this.testpmd.command('stop');
    for (let port = 0; port < this.#ports; port++) {
      await this.testpmd.command(`port stop ${port}`);
      await this.testpmd.command(`port start ${port}`);
    }
  }
}

/**
 * Starts a testpmd in which queue q of port p receives the packets of `files[p][q]`; transmitted packets are dropped.
 * @param packets how many there are in all files
 */
export async function startReplay(files: string[][], packets: number, options: ReplayOptions = {}): Promise<Replay> {
  const vdevs = files.map((queues, port) => [`net_pcap${port}`, ...queues.map((file) => `rx_pcap=${file}`)].join(','));
  const queues = String(files[0]?.length ?? 1);
  const args = [
    `--forward-mode=${options.mode ?? 'rxonly'}`,
    `--rxq=${queues}`,
    `--txq=${queues}`,
    ...(options.args ?? []),
  ];
  const testpmd = await startTestpmd({ vdevs, args, memoryMb: options.memoryMb ?? 64, env: options.env ?? {} });
  return new Replay(testpmd, files.length, packets);
}
