/** The messages about a mirror on standard error: warnings, and the question before traffic is interrupted. */
import { diagnostics } from '../../../system/diagnostics.js';
import { confirm } from '../../confirm.js';

export function warn(warnings: readonly string[]): void {
  for (const warning of warnings) diagnostics.write(`dpcap: note: ${warning}\n`);
}

/**
 * Asks before the traffic of a VF is interrupted.
 * @throws UsageError when the answer is no, or nobody can be asked
 */
export function confirmInterruption(vf: string, yes: boolean): Promise<void> {
  return confirm(`this interrupts the traffic of ${vf}: its configuration is deleted and added again`, yes);
}
