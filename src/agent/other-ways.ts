/** Names the other ways into an application that can be captured from neither through an agent nor through pdump. */
import { pickProbed } from '../ebpf/pick.js';
import { DpcapError } from '../errors.js';
import { ebpfAddon } from '../native/addons.js';
import { choosePrimary } from '../primary/choose.js';
import { findPrimaries } from '../primary/discover.js';
import { systemHost } from '../primary/host.js';
import { runtimeRoot } from '../primary/runtime-dir.js';
import { attempt } from '../system/process.js';
import { captureCommand } from './inject/describe.js';
import { examine } from './inject/inject.js';

/**
 * Picks by `pick`; a refusal that is about the application gets hints at the ways that need nothing of it, as far as they
 * are open here. None of them is ever taken by itself: the application feels them.
 * @throws DpcapError as `pick` does
 */
export function orNameOtherWays<T>(filePrefix: string | undefined, pick: () => T): T {
  try {
    return pick();
  } catch (error) {
    if (!(error instanceof DpcapError) || !isAboutApplication(error)) throw error;
    const ways = [probes(filePrefix), injection(filePrefix)].filter((one) => one !== undefined);
    if (ways.length === 0) throw error;
    const { message, code, subject, errno } = error;
    const hint = [...(error.hint ? [error.hint] : []), ...ways].join('\n  ');
    throw new DpcapError(code, message, { cause: error, subject, errno, hint });
  }
}

/** Nobody can join it, or there is nothing to join it with, or it has no pdump: nothing that the others would not do without. */
function isAboutApplication({ code }: DpcapError): boolean {
  return code === 'ERR_PRIMARY_NOT_CAPTURABLE' || code === 'ERR_VERSION_MISMATCH' || code === 'ERR_ADDON_LOAD';
}

function probes(filePrefix: string | undefined): string | undefined {
  const target = attempt(() => pickProbed(filePrefix))?.ebpf;
  if (target === undefined) return undefined;
  const cost = attempt(() => ebpfAddon().pollCost(target));
  const about =
    cost === undefined ? '' : `, which costs it about ${(cost / 1000).toFixed(1)} us a poll on this machine`;
  return `or capture with probes of the kernel's, and nothing in the application${about}: --via ebpf`;
}

function injection(filePrefix: string | undefined): string | undefined {
  const primary = attempt(() => choosePrimary(findPrimaries(runtimeRoot(), systemHost()), filePrefix));
  if (primary?.pid === undefined) return undefined;
  const { pid } = primary;
  const verdict = attempt(() => examine(pid, { despiteSeccomp: false }));
  if (verdict === undefined || verdict.kind === 'refused') return undefined;
  if (verdict.kind === 'present')
    return `or capture through the agent that it has: ${captureCommand(verdict.target, verdict.agent.socket)}`;
  return `or, where more packets pass than probes bear, bring dpcap's agent into it while it runs: dpcap agent inject ${pid}`;
}
