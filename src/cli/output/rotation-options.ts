/** The words about files that follow one another: dumpcap's -b, tcpdump's -C, -G, -W and -z. Raw words in, a plan out. */
import { basename, dirname } from 'node:path';
import { UsageError } from '../../errors.js';
import type { OutputChoice } from '../../protocol/request.js';
import { digitsFor } from '../../sinks/rotation/names.js';
import { MOST_FILES, type RotationPlan } from '../../sinks/rotation/plan.js';
import { checkTimeFormat, strftime } from '../../sinks/rotation/strftime.js';
import { parseDuration } from '../../text/duration.js';
import { parseSize } from '../../text/size.js';
import { checkInteger } from '../whole-number.js';

/** The options as commander hands them over. */
export interface RawRotationOptions {
  ringBuffer?: string[];
  fileSize?: string;
  rotateSeconds?: string;
  fileCount?: string;
  postrotateCommand?: string;
  minFree?: string;
}

/** What else is asked for and matters here. */
export interface RotationContext {
  output: OutputChoice;
  /** Of -a files; 0: none. */
  mostFiles: number;
  /** Of -a filesize; 0: none. */
  byteLimit: number;
}

const NONE: RotationPlan = {
  bytes: 0,
  packets: 0,
  durationMs: 0,
  intervalMs: 0,
  mostFiles: 0,
  ring: 0,
  names: { kind: 'numbered' },
};

/**
 * Checks the words about several files.
 * @returns undefined when there is to be one file
 * @throws UsageError
 */
export function checkRotation(raw: RawRotationOptions, context: RotationContext): RotationPlan | undefined {
  const { ringBuffer = [], fileSize, rotateSeconds, fileCount, postrotateCommand: command } = raw;
  refuseMixture(raw);
  const isDumpcaps = ringBuffer.length > 0;
  const isTcpdumps = fileSize !== undefined || rotateSeconds !== undefined;
  if (!isDumpcaps && !isTcpdumps) {
    refuseAlone(fileCount, command, context);
    return undefined;
  }
  const path = pathOf(context.output);
  const plan = isDumpcaps ? ofDumpcap(ringBuffer) : ofTcpdump(raw, path);
  if (context.byteLimit > 0) {
    throw new UsageError('-a filesize ends a capture with one file, and this one has several', {
      subject: 'filesize',
      hint: 'switch files with -b filesize:KB (or -C), and end with -a files:N, packets:N or duration:TIME',
    });
  }
  if (plan.mostFiles > 0 && context.mostFiles > 0) {
    throw new UsageError('-a files and -W with -G say the same: when to end', { subject: 'files', hint: 'give one' });
  }
  return {
    ...plan,
    mostFiles: plan.mostFiles || context.mostFiles,
    ...(command === undefined ? {} : { command: checkCommand(command) }),
  };
}

/** @throws UsageError */
export function checkMinFree(text: string | undefined, output: OutputChoice): number | undefined {
  if (text === undefined) return undefined;
  if (output.kind !== 'file')
    throw new UsageError('--min-free is about the disk of a file', { hint: 'add -w FILE', subject: text });
  return parseSize('--min-free', text, { min: 1, max: 2 ** 50 });
}

function refuseMixture({ ringBuffer = [], fileSize, rotateSeconds, fileCount }: RawRotationOptions): void {
  const letters = [fileSize && '-C', rotateSeconds && '-G', fileCount && '-W'].filter(Boolean);
  if (ringBuffer.length === 0 || letters.length === 0) return;
  throw new UsageError(`-b and ${letters.join(', ')} exclude each other`, {
    subject: ringBuffer.join(' '),
    hint: 'use the words of dumpcap (-b filesize:KB, duration:TIME, files:N) or those of tcpdump (-C, -G, -W)',
  });
}

function refuseAlone(fileCount: string | undefined, command: string | undefined, { mostFiles }: RotationContext): void {
  const hint = 'add what switches files: -b filesize:KB, packets:N, duration:TIME or interval:TIME, or -C or -G';
  if (fileCount !== undefined) throw new UsageError('-W needs -C or -G', { subject: fileCount, hint });
  if (command !== undefined) throw new UsageError('-z needs files that follow one another', { subject: command, hint });
  if (mostFiles > 0) throw new UsageError('-a files needs files that follow one another', { subject: 'files', hint });
}

function pathOf(output: OutputChoice): string {
  if (output.kind === 'file') return output.path;
  const where = output.kind === 'stdout' ? 'standard output' : 'the screen';
  throw new UsageError(`files cannot follow one another on ${where}`, {
    hint: 'add -w FILE; the names of the files are made from it',
  });
}

/** Reads `-b KEY:VALUE`, each key once. */
function ofDumpcap(words: readonly string[]): RotationPlan {
  let plan = NONE;
  const seen = new Set<string>();
  for (const word of words) {
    const [key, value = ''] = word.split(/:(.*)/s, 2) as [string, string | undefined];
    const criterion = Object.hasOwn(CRITERIA, key) ? CRITERIA[key] : undefined;
    if (!criterion) {
      throw new UsageError(`-b: unknown criterion ${word}`, {
        subject: word,
        hint: `use ${Object.keys(CRITERIA).join(', ')}: filesize:KB, duration:SECONDS, files:N ...`,
      });
    }
    if (seen.has(key)) throw new UsageError(`-b ${key} is given twice`, { subject: word, hint: 'give each once' });
    seen.add(key);
    plan = { ...plan, ...criterion(`-b ${key}`, value) };
  }
  if (plan.bytes + plan.packets + plan.durationMs + plan.intervalMs === 0) {
    throw new UsageError(`-b ${words.join(' -b ')} does not say when to switch to the next file`, {
      subject: words.join(' '),
      hint: 'add -b filesize:KB, packets:N, duration:TIME or interval:TIME',
    });
  }
  return plan;
}

/** As in dumpcap, a kB is 1000 bytes. */
const CRITERIA: Readonly<Record<string, (option: string, value: string) => Partial<RotationPlan>>> = {
  filesize: (option, value) => ({ bytes: checkInteger(option, value, 1, 2 ** 43, 'kB') * 1000 }),
  duration: (option, value) => ({ durationMs: parseDuration(option, value) }),
  interval: (option, value) => ({ intervalMs: parseDuration(option, value) }),
  packets: (option, value) => ({ packets: checkInteger(option, value, 1, Number.MAX_SAFE_INTEGER, 'packets') }),
  files: (option, value) => ({ ring: checkInteger(option, value, 1, MOST_FILES, 'files') }),
  printname: (option, value) => ({ printName: checkPrintName(option, value) }),
};

function checkPrintName(option: string, value: string): string {
  if (value === '') throw new UsageError(`${option}: the file name is empty`, { hint: 'give a file, - or stderr' });
  return value === 'stdout' ? '-' : value;
}

/** -C alone numbers files, with -W they are a ring; -G takes times into the name, and ends after -W files. */
function ofTcpdump({ fileSize, rotateSeconds, fileCount }: RawRotationOptions, path: string): RotationPlan {
  // A file that is "larger than" the size is closed (tcpdump.c, dump_packet_and_trunc).
  const bytes = fileSize === undefined ? 0 : checkFileSize(fileSize) + 1;
  const files = fileCount === undefined ? 0 : checkInteger('-W', fileCount, 1, MOST_FILES, 'files');
  const digits = digitsFor(files);
  if (rotateSeconds === undefined) return { ...NONE, bytes, ring: files, names: { kind: 'counted', digits } };
  const durationMs = parseDuration('-G', rotateSeconds);
  const isCounted = fileSize !== undefined;
  refuseNames(path, durationMs, isCounted);
  const names = { kind: 'timed', isCounted, digits: isCounted ? digits : 0 } as const;
  return { ...NONE, bytes, durationMs, mostFiles: isCounted ? 0 : files, names };
}

function refuseNames(path: string, durationMs: number, isCounted: boolean): void {
  const name = basename(path);
  checkTimeFormat('-w', name);
  if (dirname(path).includes('%')) {
    throw new UsageError(`-w: ${path}: a time may be in the name of the file, and not in that of its directory`, {
      subject: path,
      hint: 'move the % conversions behind the last slash',
    });
  }
  // From a moment that is a multiple of everything: where two files in a row differ from there, they differ always.
  const first = new Date(2026, 0, 1);
  const next = new Date(first.getTime() + durationMs);
  if (isCounted || strftime(name, first) !== strftime(name, next)) return;
  throw new UsageError(`-w: with -G, two files in a row would have the same name ${strftime(name, first)}`, {
    subject: path,
    hint: 'take the time into the name, as in trace-%Y%m%d-%H%M%S.pcap',
  });
}

/** In millions of bytes, or with k, m or g in KiB, MiB or GiB. */
function checkFileSize(text: string): number {
  const units: Record<string, number> = { '': 1e6, k: 2 ** 10, m: 2 ** 20, g: 2 ** 30 };
  const [, figure = '', unit = ''] = /^(\d{1,9})([kmg])?$/i.exec(text) ?? [];
  const bytes = Number(figure) * (units[unit.toLowerCase()] ?? 0);
  if (bytes > 0) return bytes;
  throw new UsageError(`-C: ${text || 'nothing'} is no size of a file`, {
    subject: text,
    hint: 'give millions of bytes, or a figure with k, m or g (1024, 1024^2, 1024^3 bytes): 100, 512k, 2g',
  });
}

function checkCommand(command: string): string {
  if (command !== '') return command;
  throw new UsageError('-z: the command is empty', { hint: 'give a program; it gets the name of a finished file' });
}
