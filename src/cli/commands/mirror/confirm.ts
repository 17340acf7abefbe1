/** The question before traffic is interrupted. */
import { confirm } from '../../confirm.js';

/**
 * Asks before the traffic of a VF is interrupted.
 * @throws UsageError when the answer is no, or nobody can be asked
 */
export function confirmInterruption(vf: string, yes: boolean): Promise<void> {
  return confirm(`this interrupts the traffic of ${vf}: its configuration is deleted and added again`, yes);
}
