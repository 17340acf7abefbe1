/** `-r FILE` and the options that only make sense with it: packets of a file in place of those of an application. */
import { closeSync, constants, fstatSync, openSync, statSync } from 'node:fs';
import { isatty } from 'node:tty';
import type { Command } from 'commander';
import { DpcapError, errnoOf, UsageError } from '../errors.js';
import type { FilterProgram } from '../filter/compile.js';
import type { StatsMessage } from '../protocol/messages.js';
import type { EnginePlan } from '../protocol/plan.js';
import type { CaptureRequest } from '../protocol/request.js';
import type { CaptureTarget } from '../sinks/output-target.js';
import { commandLine } from '../supervisor/create-plan.js';
import { createReadPlan, type ReadRequest } from '../supervisor/reading/create-read-plan.js';
import { checkInteger } from './whole-number.js';

const { O_RDONLY, O_NOCTTY, O_NONBLOCK } = constants;
const STDIN = 0;

/** The options as commander hands them over. */
export interface RawReadOptions {
  read?: string;
  skip?: string;
  count?: boolean;
}

/** Adds the options to a command. */
export function addReadOptions(command: Command): void {
  command
    .option(
      '-r, --read <file>',
      'Read packets from this pcap or pcapng file, or from standard input for -, in place of an application. It may be compressed with gzip, zstd or lz4.',
    )
    .option('--skip <n>', 'With -r: leave out the first n packets that match.')
    .option('--count', 'With -r: print only the number of packets that match.');
}

/** Options that are about an application, by commander's names, as they are typed. */
const OF_APPLICATIONS = {
  interface: '-i',
  direction: '-Q',
  queue: '--queue',
  filePrefix: '--file-prefix',
  via: '--via',
  probeBudget: '--probe-budget',
  bufferSize: '-B',
  threads: '--threads',
  timeStampType: '-j',
  trustMempools: '--trust-mempools',
  mirror: '--mirror',
} as const;

/**
 * Checks them.
 * @param raw all options of the command
 * @param isTyped whether an option was typed: what is a default for captures is none for files
 * @returns undefined when no file is to be read
 * @throws UsageError
 */
export function checkRead(
  raw: RawReadOptions & { write?: string },
  isTyped: (name: string) => boolean,
): ReadRequest | undefined {
  if (raw.read === undefined) {
    for (const [name, option] of [
      ['skip', '--skip'],
      ['count', '--count'],
    ] as const) {
      if (raw[name] === undefined) continue;
      throw new UsageError(`${option} is about a file that is read`, { subject: option, hint: 'add -r FILE' });
    }
    return undefined;
  }
  for (const [name, option] of Object.entries(OF_APPLICATIONS)) {
    if (!isTyped(name)) continue;
    throw new UsageError(`${option} is about an application, and -r reads a file`, {
      subject: option,
      hint: `leave out ${option}, or -r`,
    });
  }
  if (raw.count && raw.write !== undefined) {
    throw new UsageError('--count prints a number, and -w writes packets', {
      subject: raw.write,
      hint: 'leave out one of them; the summary has the number as well',
    });
  }
  const skip = raw.skip === undefined ? 0 : checkInteger('--skip', raw.skip, 0, Number.MAX_SAFE_INTEGER, 'packets');
  return { name: raw.read === '-' ? 'standard input' : raw.read, skip };
}

/** The number of packets that matched, in tcpdump's words. */
export function countLine({ lanes }: Pick<StatsMessage, 'lanes'>): string {
  const packets = lanes.reduce((sum, { written }) => sum + written, 0n);
  return `${packets} packet${packets === 1n ? '' : 's'}\n`;
}

/** The request, with --count taken into account. */
export function withCount(request: CaptureRequest, { count }: RawReadOptions): CaptureRequest {
  return count ? { ...request, output: { kind: 'count' }, format: 'pcapng' } : request;
}

/** The plan of a capture, and the output that its packets go to. */
export interface PlannedCapture {
  plan: EnginePlan;
  target: CaptureTarget;
  /** The descriptor of the file that is read. */
  input?: number;
}

/**
 * Plans the reading, and opens the file unless the plan is all that is wanted.
 * @throws UsageError, DpcapError ERR_INPUT_FILE
 */
export function planRead(
  typed: { raw: RawReadOptions & { dryRun?: boolean }; request: CaptureRequest; filter: FilterProgram | undefined },
  read: ReadRequest,
  target: CaptureTarget,
): PlannedCapture {
  const { raw, request, filter } = typed;
  const plan = createReadPlan(request, read, filter, target.to, commandLine());
  return { plan, target, ...(raw.dryRun ? {} : { input: openInput(raw.read ?? '', target) }) };
}

/**
 * Opens what is to be read. A FIFO does not have to have a writer yet: it is waited for where it can be interrupted.
 * @returns the descriptor
 * @throws UsageError for a terminal or a directory, and for a file that would be written at the same time;
 *   DpcapError ERR_INPUT_FILE when it cannot be opened
 */
function openInput(path: string, { to }: CaptureTarget): number {
  const fd = path === '-' ? STDIN : open(path);
  const found = fstatSync(fd);
  const refuse = (why: string, hint: string): never => {
    if (fd !== STDIN) closeSync(fd);
    throw new UsageError(`-r ${path}: ${why}`, { subject: path, hint });
  };
  if (isatty(fd)) refuse('it is a terminal', 'give the name of a file, or pipe one in: dpcap -r - < FILE');
  if (found.isDirectory()) refuse('it is a directory', 'give the name of a file in it');
  if (to.kind === 'file' && to.unfinished === undefined) {
    const written = statSync(to.path, { throwIfNoEntry: false });
    if (written?.dev === found.dev && written.ino === found.ino)
      refuse('-w would overwrite it while it is read', 'write to another name');
  }
  return fd;
}

function open(path: string): number {
  try {
    return openSync(path, O_RDONLY | O_NOCTTY | O_NONBLOCK);
  } catch (cause) {
    throw new DpcapError('ERR_INPUT_FILE', `cannot read ${path}`, {
      cause,
      errno: errnoOf(cause),
      subject: path,
      hint: 'give the name of a file that exists and that you may read',
    });
  }
}
