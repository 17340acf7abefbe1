/** The addon's functions of captures, without a primary: what they tell is in `stats`, for tests to set. */
import type { CaptureBinding, FileTurn, NativePlan, NativeStats } from '../../../src/native/capture-binding.js';
import { lane } from './lane.js';

/** The figures of a capture that found nothing. */
export const IDLE: NativeStats = {
  lanes: [lane()],
  limitReached: false,
  sinkFailure: null,
  sinkNews: [],
  fileBytes: 24n,
  mbufs: 1023,
  clockSteps: 0,
  clockSetNs: 0n,
  mbufsFree: 1023,
  filteringHere: false,
  wantsMbufs: false,
  canSettle: false,
  inputEnd: null,
  pollNs: 0,
  memory: 0n,
  smallPages: false,
};

interface FakeCapture {
  notify: (() => void) | undefined;
  isFreed: boolean;
}

/** With a limit of packets, exactly so many come to the first lane as soon as a capture has begun. */
export class FakeCaptures implements CaptureBinding {
  stats = IDLE;
  /** The captures that were flushed, each time. */
  readonly flushed: number[] = [];
  /** Called inside startCapture. */
  onStart: (notify: () => void) => void = () => {};
  /** Resolves with the function that the addon was given. */
  readonly started: Promise<() => void>;
  #begun: (notify: () => void) => void = () => {};
  readonly #captures = new Map<number, FakeCapture>();

  constructor() {
    this.started = new Promise((resolve) => {
      this.#begun = resolve;
    });
  }

  startCapture = (number: number, plan: NativePlan, notify: () => void): Promise<void> => {
    if (typeof notify !== 'function') throw new TypeError('Expected notify to be a function');
    if (number < 0 || number > 99) throw new RangeError('Expected a number up to 99');
    if (this.#captures.get(number)?.isFreed === false) throw new Error('this capture was already started');
    this.#captures.set(number, { notify, isFreed: false });
    return this.#start(plan, notify);
  };

  captureStats = (number: number): NativeStats => {
    if (!this.#captures.has(number)) throw new Error('no such capture was started');
    return this.stats;
  };

  flushCapture = (number: number): void => {
    this.captureStats(number);
    this.flushed.push(number);
  };

  growCapture = async (): Promise<boolean> => false;
  settleLanes = async (): Promise<string[]> => [];
  supplyFile = (number: number): void => this.#refuseFiles(number);
  refuseFile = (number: number): void => this.#refuseFiles(number);
  fileTurns = (number: number): FileTurn[] => this.#refuseFiles(number);
  abandonCaptures = (): void => {};
  disableCapture = async (): Promise<string[]> => [];
  finishCapture = async (number: number): Promise<void> => {
    const capture = this.#captures.get(number);
    if (capture) capture.notify = undefined;
  };
  freeCapture = async (number: number): Promise<boolean> => {
    const capture = this.#captures.get(number);
    if (capture) capture.isFreed = true;
    return true;
  };

  #refuseFiles(number: number): never {
    this.captureStats(number);
    throw new Error('this capture has one file');
  }

  async #start({ lanes, packetLimit }: NativePlan, notify: () => void): Promise<void> {
    if (packetLimit > 0) {
      const written = BigInt(packetLimit);
      const counted = lanes.map(({ port, queue, direction }, at) =>
        lane({ port, queue, direction, ...(at === 0 ? { accepted: written, written, bytes: written * 60n } : {}) }),
      );
      this.stats = { ...IDLE, lanes: counted, limitReached: true };
      setImmediate(notify);
    }
    this.onStart(notify);
    this.#begun(notify);
  }
}
