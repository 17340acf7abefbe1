/** Whether packets are printed, and how: without -w, or beside it with --print. */
import { UsageError } from '../../errors.js';
import type { Display } from '../../protocol/display.js';
import type { EnginePlan } from '../../protocol/plan.js';
import { type Printing, printBeside, printInstead } from '../../supervisor/printing/printing.js';
import type { RawLetters } from './options.js';

/**
 * Starts the printing that is asked for; undefined for none.
 * @param isPrinted whether packets go nowhere else
 * @throws UsageError where --print has no file to look at; as startPrinter()
 */
export async function startPrinting(
  raw: RawLetters & { relinquishPrivileges?: string },
  isPrinted: boolean,
  plan: Pick<EnginePlan, 'output' | 'rotation' | 'compression'>,
  display: Display,
): Promise<Printing | undefined> {
  if (isPrinted) return printInstead(display, raw.relinquishPrivileges);
  if (raw.print === undefined) return undefined;
  return printBeside(growingFile(plan), display, raw.relinquishPrivileges);
}

/** The name of the file while it is written. */
function growingFile({
  output,
  rotation,
  compression,
}: Pick<EnginePlan, 'output' | 'rotation' | 'compression'>): string {
  if (compression) {
    throw new UsageError('--print reads the file while it grows, and cannot read one that is compressed', {
      hint: 'leave out --print, or add --compress none',
    });
  }
  if (rotation) {
    throw new UsageError('--print reads one file, and files that follow one another are several', {
      hint: 'leave out --print, or -b, -C and -G',
    });
  }
  if (output.kind === 'file') return output.unfinished ?? output.path;
  throw new UsageError('--print needs a file after -w, which it reads while that grows', {
    hint: 'for a pipe: dpcap -w - ... | tee FILE | tcpdump -nn -r -',
  });
}
