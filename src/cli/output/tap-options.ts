/** Checks the options of `dpcap forward2kni` for an interface that dpcap makes. */
import { UsageError } from '../../errors.js';
import type { FilterProgram } from '../../filter/compile.js';
import type { TapChoices } from '../../forward2kni/tap-choices.js';
import { MAX_THREADS } from '../../protocol/limits.js';
import { checkOptions } from '../capture-options.js';

/** Options as commander hands them over. */
export interface RawTapOptions {
  name?: string;
  netns?: string;
  split?: string;
  maxRate?: string;
  threads?: string;
  direction?: string;
  bufferSize?: string;
  captureVia?: string;
  probeBudget?: string;
  detach?: boolean;
  untilExit?: boolean;
}

const MAX_RATE = 0xffffffff;

/** @throws UsageError naming the option, the value given and what is accepted */
export function checkTapOptions(raw: RawTapOptions, filter: FilterProgram | undefined): TapChoices {
  if (raw.split !== undefined && raw.split !== 'direction') {
    throw new UsageError(`--split: unknown value ${raw.split}`, { subject: raw.split, hint: 'use --split direction' });
  }
  if (raw.netns !== undefined && !/^[^/]+$/.test(raw.netns)) {
    throw new UsageError(`--netns: ${raw.netns || 'nothing'} is no name of a network namespace`, {
      subject: raw.netns,
      hint: 'ip netns list shows the network namespaces there are',
    });
  }
  if (raw.detach && raw.untilExit) {
    throw new UsageError('--detach and --until-exit contradict each other: background or foreground', {
      hint: 'give one of them; what runs in the background is ended by: dpcap forward2kni PORT off',
    });
  }
  const maxRate = raw.maxRate === undefined ? 0 : checkCount('--max-rate', raw.maxRate, MAX_RATE, 'packets a second');
  const threads = raw.threads === undefined ? undefined : checkCount('--threads', raw.threads, MAX_THREADS, 'threads');
  if (maxRate > 0 && threads !== undefined && threads > 1) {
    throw new UsageError('--max-rate and --threads exclude each other', {
      hint: 'a rate that has to be limited needs no more than one thread',
    });
  }
  const { directions, bufferBytes, via, probeBudget } = checkOptions({
    ...(raw.direction === undefined ? {} : { direction: raw.direction }),
    ...(raw.bufferSize === undefined ? {} : { bufferSize: raw.bufferSize }),
    ...(raw.captureVia === undefined ? {} : { via: raw.captureVia }),
    ...(raw.probeBudget === undefined ? {} : { probeBudget: raw.probeBudget }),
  });
  return {
    name: raw.name,
    netns: raw.netns ?? '',
    split: raw.split === 'direction',
    maxRate,
    threads,
    directions,
    bufferBytes,
    via,
    probeBudget,
    detach: raw.detach ?? false,
    filter,
  };
}

function checkCount(option: string, text: string, max: number, unit: string): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= 1 && value <= max) return value;
  throw new UsageError(`${option}: ${text || 'nothing'} is not a whole number from 1 to ${max} ${unit}`, {
    subject: text,
  });
}
