/** `dpcap recorder save`. */

import { closeSync } from 'node:fs';
import { UsageError } from '../../../errors.js';
import { hostAddon } from '../../../native/addons.js';
import { checked } from '../../../native/errors.js';
import { currentUid, runtimeRoot } from '../../../primary/runtime-dir.js';
import { formatOf, type OutputChoice } from '../../../protocol/request.js';
import { chooseBox } from '../../../recorder/choose.js';
import { findBoxes, type OpenBox, openBox } from '../../../recorder/find.js';
import { savedLines } from '../../../recorder/report.js';
import { type Extent, saveBox, sinceOf } from '../../../recorder/save.js';
import { descriptorOutput } from '../../../sinks/descriptor-target.js';
import { outputTarget } from '../../../sinks/file-target.js';
import { sinkOf } from '../../../sinks/registry.js';
import { parseDuration } from '../../../text/duration.js';
import { parseMoment } from '../../../text/moment.js';
import { checkCompress } from '../../output/compress-option.js';

/** The options as commander hands them over. */
export interface RawSaveOptions {
  write: string;
  format?: string;
  compress?: string;
  last?: string;
  since?: string;
  pid?: string;
  box?: string;
  filePrefix?: string;
}

/** Saves what is asked for, and tells what is in the file and what is missing. */
export async function save(raw: RawSaveOptions): Promise<void> {
  const extent = readExtent(raw);
  const format = readFormat(raw);
  const compression = checkCompress(raw.compress, outputOf(raw));
  const target = raw.write === '-' ? descriptorOutput(1, '-') : outputTarget(raw.write);
  await withBox(raw, async (box) => {
    const sinceMs = sinceOf(extent, box.facts, Date.now());
    const saved = await saveBox(box, target, { format, sinceMs, compression });
    const otherUid = box.uid === currentUid() ? undefined : box.uid;
    const { startedNs, lanes } = checked(() => hostAddon().readBox(box.fd)); // it went on meanwhile
    const asked = { sinceNs: BigInt(sinceMs) * 1_000_000n, startedNs, lanes, otherUid };
    const lines = savedLines(saved, asked, sinkOf(target.to).nameOf(target.to));
    process.stderr.write(lines.map((line) => `dpcap: ${line}\n`).join(''));
  });
}

async function withBox({ box, pid, filePrefix }: RawSaveOptions, act: (box: OpenBox) => Promise<void>): Promise<void> {
  if (box !== undefined) {
    if (pid !== undefined || filePrefix !== undefined)
      throw new UsageError('--box excludes --pid and --file-prefix', { subject: box, hint: 'give one of them' });
    const opened = openBox(box);
    return act(opened).finally(() => closeSync(opened.fd));
  }
  const wanted = pid === undefined ? undefined : readPid(pid);
  const found = findBoxes(runtimeRoot(), filePrefix);
  try {
    await act(chooseBox(found.boxes, wanted));
  } finally {
    found.close();
  }
}

function readExtent({ last, since }: RawSaveOptions): Extent {
  if (last !== undefined && since !== undefined)
    throw new UsageError('--last and --since exclude each other', { subject: since, hint: 'give one of them' });
  return {
    lastMs: last === undefined ? undefined : parseDuration('--last', last),
    sinceMs: since === undefined ? undefined : parseMoment('--since', since, Date.now()),
  };
}

function outputOf({ write: path }: RawSaveOptions): OutputChoice {
  return path === '-' ? { kind: 'stdout' } : { kind: 'file', path };
}

function readFormat({ format, write }: RawSaveOptions): 'pcap' | 'pcapng' {
  if (format === undefined) return write === '-' ? 'pcapng' : formatOf(write);
  if (format === 'pcap' || format === 'pcapng') return format;
  throw new UsageError(`-F: unknown value ${format}`, { subject: format, hint: 'use pcap, pcapng' });
}

function readPid(text: string): number {
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw new UsageError(`--pid: ${text} is not a process id`, {
    subject: text,
    hint: 'dpcap recorder status shows them',
  });
}
