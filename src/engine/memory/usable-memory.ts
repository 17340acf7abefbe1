/** How much memory a capture may take of the primary that it is about. */
import type { AttachedFacts } from '../../native/primary-binding.js';
import { usableMemory } from '../../primary/memory/memory-limits.js';
import { type EnginePlan, joinsPrimary } from '../../protocol/plan.js';
import { readHugepages } from '../../system/huge-pages.js';

/** What is usable, and what limits it. Copies of an agent, or of the kernel, are in memory of their own. */
export function usableFor(plan: EnginePlan, { heap }: AttachedFacts): ReturnType<typeof usableMemory> {
  if (!joinsPrimary(plan)) return { bytes: Number.MAX_SAFE_INTEGER, limit: '' };
  return usableMemory(heap, plan.primaryMemory, readHugepages(), !plan.mempool.mayGrow);
}
