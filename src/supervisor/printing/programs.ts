/** Which program prints the packets: tcpdump where it is installed, else tshark. */
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import { DpcapError } from '../../errors.js';
import { type Account, accountOf } from '../../system/accounts.js';
import type { Display } from './display.js';
import { tcpdump } from './tcpdump.js';
import { tshark } from './tshark.js';

/** A program that reads a capture from its standard input, and how it is started. */
export interface PrintingProgram {
  /** Its name, for people. */
  name: string;
  /** What is executed. It gets a process group of its own. */
  command: string;
  args: string[];
  /** Lines on its standard error that nobody needs to see. */
  noise: RegExp;
  /** Whom it is started as, where it cannot become another user by itself. */
  ids?: Account | undefined;
}

/**
 * Chooses the program.
 * @param user whom it becomes before it reads a packet
 * @throws UsageError for letters that the program cannot do, DpcapError ERR_SINK_OPEN when there is none
 */
export function choosePrintingProgram(display: Display, user?: string): PrintingProgram {
  if (isOnPath('tcpdump')) return tcpdump(display, user);
  const ids = user === undefined || process.geteuid?.() !== 0 ? undefined : accountOf(user);
  if (isOnPath('tshark')) return { ...tshark(display), ids };
  throw new DpcapError('ERR_SINK_OPEN', 'cannot print packets: neither tcpdump nor tshark is installed', {
    errno: 'ENOENT',
    hint: 'install tcpdump, or write to a file with -w',
  });
}

/** Whether a program can be started by its name. */
export function isOnPath(name: string, path = process.env.PATH ?? ''): boolean {
  return path.split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, name), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}
