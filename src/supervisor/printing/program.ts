/** What the printing programs have in common. */
import type { Account } from '../../system/users/accounts.js';

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
