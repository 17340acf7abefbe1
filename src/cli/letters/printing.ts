/** Whether packets are printed, and how: without -w, or beside it with --print. */
import { UsageError } from '../../errors.js';
import type { OutputPlan } from '../../sinks/registry.js';
import type { Display } from '../../supervisor/printing/display.js';
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
  output: OutputPlan,
  display: Display,
): Promise<Printing | undefined> {
  if (isPrinted) return printInstead(display, raw.relinquishPrivileges);
  if (raw.print === undefined) return undefined;
  return printBeside(growingFile(output), display, raw.relinquishPrivileges);
}

/** The name of the file while it is written. */
function growingFile(output: OutputPlan): string {
  if (output.kind === 'file') return output.unfinished ?? output.path;
  throw new UsageError('--print needs a file after -w, which it reads while that grows', {
    hint: 'for a pipe: dpcap -w - ... | tee FILE | tcpdump -nn -r -',
  });
}
