/** The messages about a mirror on standard error: warnings, and the question before traffic is interrupted. */
import { createInterface } from 'node:readline/promises';
import { UsageError } from '../../../errors.js';
import { diagnostics } from '../../../system/diagnostics.js';

export function warn(warnings: readonly string[]): void {
  for (const warning of warnings) diagnostics.write(`dpcap: note: ${warning}\n`);
}

/**
 * Asks before the traffic of a VF is interrupted.
 * @throws UsageError when the answer is no, or nobody can be asked
 */
export async function confirmInterruption(vf: string, yes: boolean): Promise<void> {
  const what = `this interrupts the traffic of ${vf}: its configuration is deleted and added again`;
  if (yes) return warn([what]);
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
