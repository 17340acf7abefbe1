/** Every error that a person can meet: the class says who has to act, and the code says what exactly happened. */

/** Closed table of error codes; each is documented in docs/errors.md. */
export type ErrorCode =
  | 'ERR_USAGE'
  | 'ERR_FILTER_SYNTAX'
  | 'ERR_FILTER_UNKNOWN'
  | 'ERR_FILTER_UNSUPPORTED'
  | 'ERR_PORT_UNKNOWN'
  | 'ERR_QUEUE_RANGE'
  | 'ERR_ADDON_LOAD'
  | 'ERR_PRIMARY_ABSENT'
  | 'ERR_PRIMARY_AMBIGUOUS'
  | 'ERR_PRIMARY_NOT_CAPTURABLE'
  | 'ERR_PRIMARY_TIMEOUT'
  | 'ERR_PRIMARY_GONE'
  | 'ERR_PRIMARY_STOPPED'
  | 'ERR_PRIMARY_BUSY'
  | 'ERR_SECONDARY_STOPPED'
  | 'ERR_PORT_GONE'
  | 'ERR_ABANDONED'
  | 'ERR_VERSION_MISMATCH'
  | 'ERR_EAL_INIT'
  | 'ERR_MEMPOOL_OPS'
  | 'ERR_PERMISSION'
  | 'ERR_NO_MEMORY'
  | 'ERR_CAPTURE_BUSY'
  | 'ERR_ENABLE_FAILED'
  | 'ERR_DISABLE_FAILED'
  | 'ERR_RECORDER_ABSENT'
  | 'ERR_RECORDER_AMBIGUOUS'
  | 'ERR_RECORDER_FILE'
  | 'ERR_INPUT_FILE'
  | 'ERR_SINK_OPEN'
  | 'ERR_SINK_WRITE'
  | 'ERR_ENGINE_DIED'
  | 'ERR_MIRROR_ABSENT'
  | 'ERR_MIRROR_NO_ANSWER'
  | 'ERR_MIRROR_BAD_ANSWER'
  | 'ERR_MIRROR_REFUSED'
  | 'ERR_MIRROR_UNSAFE'
  | 'ERR_DPVS_ABSENT'
  | 'ERR_DPVS_TIMEOUT'
  | 'ERR_DPVS_FOREIGN'
  | 'ERR_DPVS_REFUSED'
  | 'ERR_DPVS_DOUBT'
  | 'ERR_DPVS_STATE'
  | 'ERR_DPVS_UNKNOWN'
  | 'ERR_PORT_UNSUITABLE'
  | 'ERR_INJECT_REFUSED'
  | 'ERR_INJECT_FAILED'
  | 'ERR_SYSTEM';

/** What an error carries besides its message. `errno` is a name such as ENOSPC, never a number. */
export interface ErrorDetails {
  /** What to do next: one imperative sentence. */
  hint?: string | undefined;
  /** The port, queue, path or filter the error is about. */
  subject?: string | undefined;
  errno?: string | undefined;
  cause?: unknown;
}

/** A failure of the host, the primary or the output: exit code 1. */
export class DpcapError extends Error {
  readonly code: ErrorCode;
  readonly hint: string | undefined;
  readonly subject: string | undefined;
  readonly errno: string | undefined;
  readonly exitCode: number = 1;

  constructor(code: ErrorCode, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = new.target.name;
    this.code = code;
    this.hint = details.hint;
    this.subject = details.subject;
    this.errno = details.errno;
  }

  /** The plain form that crosses a process boundary or is printed with `--json`. */
  toJSON(): ErrorRecord {
    return {
      error: this.code,
      message: this.message,
      hint: this.hint,
      subject: this.subject,
      errno: this.errno,
      exitCode: this.exitCode,
    };
  }
}

/** A mistake in what was typed: exit code 2, and nothing was attached. */
export class UsageError extends DpcapError {
  override readonly exitCode = 2;

  constructor(message: string, details: ErrorDetails & { code?: ErrorCode } = {}) {
    super(details.code ?? 'ERR_USAGE', message, details);
  }
}

/** {@link DpcapError.toJSON}'s shape. */
export interface ErrorRecord {
  error: ErrorCode;
  message: string;
  hint?: string | undefined;
  subject?: string | undefined;
  errno?: string | undefined;
  exitCode: number;
}

/** Rebuilds an error that came from the engine process. */
export function errorFromRecord(record: ErrorRecord): DpcapError {
  if (record.exitCode === 2) return new UsageError(record.message, { ...record, code: record.error });
  return new DpcapError(record.error, record.message, record);
}

/** The errno name of a Node or native error, or undefined. */
export function errnoOf(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  const { code, errno } = error as { code?: unknown; errno?: unknown };
  // Node puts the name into `code`; the addon has an ErrorCode there and the name in `errno`.
  return [errno, code].find((name): name is string => typeof name === 'string' && /^E[A-Z0-9]+$/.test(name));
}

/** Turns any thrown value into a DpcapError, so that one place can print it. */
export function asDpcapError(error: unknown): DpcapError {
  if (error instanceof DpcapError) return error;
  const message = error instanceof Error ? error.message : String(error);
  return new DpcapError('ERR_SYSTEM', message, { cause: error, errno: errnoOf(error) });
}

/** The text a person reads: the message, why (NAME), then the remedy on a line of its own. */
export function formatError(error: DpcapError): string {
  const why = error.errno && !error.message.includes(error.errno) ? ` (${error.errno})` : '';
  const hint = error.hint ? `\n  ${error.hint}` : '';
  return `dpcap: ${error.message}${why}${hint}`;
}

/** How an error is shown, with the line feed: text for people, or one JSON object where the output is for programs. */
export function errorText(error: DpcapError, isJson: boolean): string {
  return `${isJson ? JSON.stringify(error) : formatError(error)}\n`;
}
