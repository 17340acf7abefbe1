/** The addon's functions for having a thread of another process call a function (native/inject/). */

/** One call. Addresses are those of the process. */
export interface InjectedCall {
  pid: number;
  tid: number;
  /** Bytes that nobody uses, {@link InjectBinding.trampolineRoom} of them, in memory that can be executed. */
  code: bigint;
  /** {@link REPORT_ROOM} bytes that nobody uses, in memory that the process can write. */
  report: bigint;
  function: bigint;
  /** Its first argument, unless it is empty: then that is {@link first}. */
  text: string;
  first: number;
  second: number;
  /** A function that tells, as a text, why `function` returned 0; 0n for none. */
  explain: bigint;
  /** How long the thread may take until it stops. */
  stopMs: number;
  /** How long the call may take. */
  callMs: number;
}

/** sizeof(TrampolineReport). */
export const REPORT_ROOM = 24;

export interface CallOutcome {
  result: bigint;
  /** Empty when nothing was told. */
  explanation: string;
  /** For how long the thread was stopped. */
  heldUs: number;
}

/** Calls functions in other processes. */
export interface InjectBinding {
  /** Whether this machine is one for which the code is written. */
  readonly hasTrampoline: boolean;
  readonly trampolineRoom: number;
  /**
   * Has a thread call a function, and waits until it is back where it was. Rejects with ERR_CAPTURE_BUSY when it can be
   * tried again, ERR_INJECT_FAILED, ERR_INJECT_REFUSED, ERR_PERMISSION, ERR_PRIMARY_GONE, ERR_PRIMARY_STOPPED.
   */
  callInThread(call: InjectedCall): Promise<CallOutcome>;
  /** Whether a thread that is blocked in this system call holds nothing that others wait for. */
  isRest(call: number): boolean;
  /** Writes a line to the system's log of what concerns security. */
  writeAudit(line: string): void;
}
