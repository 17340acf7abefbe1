/** What is still owed when a capture was given up, as the user is told. Pure. */
import { type EnginePlan, joinsPrimary } from '../../protocol/plan.js';

/** How far the engine of a capture that was given up had come. */
export interface GivenUp {
  /** The engine lives, and cannot end yet. */
  isAlive: boolean;
  /** Packets are copied for it no more. */
  isDisabled: boolean;
  /** What became of the output. */
  output: string;
}

/** One sentence: whether packets are still copied, who ends what, where the packets are. */
export function owedText(
  plan: Pick<EnginePlan, 'agent' | 'ebpf' | 'input'>,
  { isAlive, isDisabled, output }: GivenUp,
): string {
  const parts = [
    ...(plan.input ? [] : [isDisabled ? 'packets are copied no more' : 'packets may still be copied until it ends']),
    ...(isAlive ? ['the engine ends by itself as soon as it can'] : []),
    ...inApplication(plan, isAlive),
    output,
  ];
  return parts.join('; ');
}

function inApplication(plan: Pick<EnginePlan, 'agent' | 'ebpf' | 'input'>, isAlive: boolean): string[] {
  if (joinsPrimary(plan)) return [`clear what it ${isAlive ? 'leaves' : 'left'} in the primary with: dpcap recover`];
  const when = isAlive ? ' then' : '';
  if (plan.agent) return [`the agent takes back${when} what the capture had in the application`];
  return plan.ebpf ? [`the kernel${when} takes its probes out`] : [];
}
