/** The question before something that a user may not want. */
import { createInterface } from 'node:readline/promises';
import { UsageError } from '../errors.js';
import { diagnostics } from '../system/diagnostics.js';

/**
 * Asks before it is done; with `yes`, only tells it.
 * @param what one sentence that says what happens
 * @throws UsageError when the answer is no, or nobody can be asked
 */
export async function confirm(what: string, yes: boolean): Promise<void> {
  if (yes) {
    diagnostics.write(`dpcap: note: ${what}\n`);
    return;
  }
  if (!process.stdin.isTTY) throw new UsageError(what, { hint: 'nothing was changed; add --yes to go ahead' });
  process.stderr.on('error', () => {}); // nobody sees the question, so nobody says yes
  const asking = createInterface({ input: process.stdin, output: process.stderr });
  try {
    const answer = await asking.question(`dpcap: ${what}. Go ahead? [y/N] `);
    if (/^y(es)?$/i.test(answer.trim())) return;
  } finally {
    asking.close();
  }
  throw new UsageError('stopped', { hint: 'nothing was changed' });
}
