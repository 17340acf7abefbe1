/** Which program prints the packets: tcpdump where it is installed, else tshark, else one of our own. */
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';
import type { Display } from '../../protocol/display.js';
import { accountOf } from '../../system/users/accounts.js';
import { ownPrinter } from './own.js';
import type { PrintingProgram } from './program.js';
import { tcpdump } from './tcpdump.js';
import { tshark } from './tshark.js';

/**
 * Chooses the program.
 * @param user whom it becomes before it reads a packet
 * @throws UsageError for letters that the program cannot do
 */
export function choosePrintingProgram(display: Display, user?: string): PrintingProgram {
  if (isOnPath('tcpdump')) return tcpdump(display, user);
  const ids = user === undefined || process.geteuid?.() !== 0 ? undefined : accountOf(user);
  if (isOnPath('tshark')) return { ...tshark(display), ids };
  return { ...ownPrinter(display), ids };
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
