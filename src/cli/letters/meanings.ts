/** Letters that are other words for options of dpcap's: they are turned into these before anything is checked. */
import { UsageError } from '../../errors.js';
import type { RawCaptureOptions } from '../capture-options.js';
import { withFilterFile } from './filter-file.js';
import type { RawLetters } from './options.js';

type Raw = RawLetters & RawCaptureOptions & { expression?: string[] };

/** The letters that are answered without a capture, by their attributes: see answers.ts. */
const ANSWERED = ['d', 'listInterfaces', 'listDataLinkTypes', 'listTimeStampTypes'];

/** Whether these options ask for something that is answered without a capture. */
export function isAnswered(raw: RawLetters): boolean {
  return ANSWERED.some((attribute) => raw[attribute] !== undefined);
}

/**
 * The options in dpcap's own words.
 * @throws UsageError for a link type that no port has, two precisions, or a -F that is neither a format nor a file
 */
export function inOwnWords<T extends Raw>(raw: T): T {
  if (raw.linktype !== undefined) checkLinkType(String(raw.linktype));
  const timePrecision = precisionOf(raw);
  return withFilterFile(timePrecision === undefined ? raw : { ...raw, timePrecision });
}

function precisionOf({ timePrecision, timeStampPrecision, nano, micro }: Raw): string | undefined {
  const given = [timePrecision, timeStampPrecision, nano && 'nano', micro && 'micro'].filter(
    (one) => one !== undefined,
  );
  const [first, ...others] = new Set(given as string[]);
  if (others.length === 0) return first;
  throw new UsageError(`two precisions of timestamps are given: ${[first, ...others].join(' and ')}`, {
    subject: first,
    hint: 'give one of them',
  });
}

function checkLinkType(type: string): void {
  if (/^(EN10MB|Ethernet)$/i.test(type)) return;
  throw new UsageError(`-y ${type}: ports of DPDK have Ethernet frames alone`, {
    subject: type,
    hint: 'use EN10MB, or leave -y out',
  });
}
