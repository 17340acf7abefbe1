/**
 * Which defaults of the configuration files a command line leaves standing. A file is written once for all captures, so what
 * it says of files is not about one that prints, and what it says otherwise than the command line is given up.
 */
import type { Command } from 'commander';
import { formatOf, formatSchema } from '../protocol/request.js';
import { isFileName } from '../sinks/file-target.js';
import { isTunnelUrl } from '../sinks/tunnel/url.js';
import type { RawCaptureOptions } from './capture-options.js';
import { FROM_CONFIG } from './config-defaults.js';
import type { RawLetters } from './letters/options.js';
import type { RawReadOptions } from './read-options.js';

type Raw = RawCaptureOptions & RawReadOptions & RawLetters;
type Name = keyof RawCaptureOptions | keyof RawReadOptions | (typeof PRECISIONS)[number];

/** The options of which one excludes the others. */
const PRECISIONS = ['timePrecision', 'timeStampPrecision', 'nano', 'micro'] as const;
const TCPDUMPS = ['fileSize', 'rotateSeconds', 'fileCount'] as const;

/** Whether a default fits; those before it in the table that do not are no longer in `raw`. */
type Fits = (raw: Raw, isAnyTyped: (names: readonly Name[]) => boolean) => boolean;

const RULES: readonly [names: readonly Name[], fits: Fits][] = [
  [['write'], (_, isAnyTyped) => !isAnyTyped(['count'])],
  [['skip'], ({ read }) => read !== undefined],
  [['count'], ({ read, write }) => read !== undefined && write === undefined],
  [PRECISIONS, ({ write }, isAnyTyped) => !isTunnel(write) && !isAnyTyped(PRECISIONS)],
  [['ringBuffer'], ({ write }, isAnyTyped) => isFile(write) && !isAnyTyped(TCPDUMPS)],
  [TCPDUMPS, ({ write }, isAnyTyped) => isFile(write) && !isAnyTyped(['ringBuffer'])],
  [['fileCount'], ({ fileSize, rotateSeconds }) => (fileSize ?? rotateSeconds) !== undefined],
  [['postrotateCommand'], (raw) => isRotated(raw)],
  [['minFree'], ({ write }) => isFile(write)],
  [['format'], ({ write, format }) => isBytes(write) || !formatSchema.safeParse(format).success],
  [['compress'], ({ write }) => isBytes(write)],
  [['captureComment'], (raw) => isBytes(raw.write) && isPcapng(raw)],
  [['packetCount'], ({ autostop = [] }, isAnyTyped) => !isAnyTyped(['autostop']) || !autostop.some(isOfPackets)],
];

/** The options without the defaults that are about something else than what is asked for, or contradict it. */
export function fittingDefaults<T extends Raw>(raw: T, command: Pick<Command, 'getOptionValueSource'>): T {
  const left: Record<string, unknown> & Raw = { ...raw };
  const isDefault = (name: string): boolean => command.getOptionValueSource(name) === FROM_CONFIG;
  const isAnyTyped = (names: readonly Name[]): boolean =>
    names.some((name) => left[name] !== undefined && !isDefault(name));
  for (const [names, fits] of RULES) {
    for (const name of names) if (isDefault(name) && !fits(left, isAnyTyped)) delete left[name];
  }
  if (isDefault('autostop')) left.autostop = (left.autostop ?? []).filter((word) => isLimitOf(left, word));
  if (isDefault('threads') && (isTunnel(left.write) || hasCount(left))) delete left.threads;
  return left as T;
}

function isTunnel(write: string | undefined): boolean {
  return write !== undefined && isTunnelUrl(write);
}

function isBytes(write: string | undefined): boolean {
  return write !== undefined && !isTunnel(write);
}

function isFile(write: string | undefined): boolean {
  return write !== undefined && write !== '-' && !isTunnel(write) && isFileName(write);
}

function isRotated({ ringBuffer, fileSize, rotateSeconds }: Raw): boolean {
  return (ringBuffer ?? fileSize ?? rotateSeconds) !== undefined;
}

function isPcapng({ format, write = '' }: Raw): boolean {
  const said = formatSchema.safeParse(format);
  return (said.success ? said.data : formatOf(write)) === 'pcapng';
}

const isOfPackets = (word: string): boolean => word.startsWith('packets:');

/** Whether a limit of -a is one of this capture. */
function isLimitOf(raw: Raw, word: string): boolean {
  if (isOfPackets(word)) return raw.packetCount === undefined;
  if (word.startsWith('files:')) return isRotated(raw) && (raw.rotateSeconds ?? raw.fileCount) === undefined;
  return !word.startsWith('filesize:') || !(isRotated(raw) || isTunnel(raw.write));
}

/** Whether the capture ends at a number of packets, bytes or files, which one thread has to count. */
function hasCount({ packetCount, autostop = [], fileCount, rotateSeconds }: Raw): boolean {
  const isCounted = autostop.some((word) => !word.startsWith('duration:'));
  return packetCount !== undefined || isCounted || (fileCount !== undefined && rotateSeconds !== undefined);
}
