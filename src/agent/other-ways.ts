/** Names probes where an application can be captured from by no other way that is there. */
import { DpcapError } from '../errors.js';
import { ebpfAddon } from '../native/addons.js';
import { attempt } from '../system/process.js';
import { pickProbed } from './pick.js';

/**
 * Picks by `pick`; a refusal that is about the application gets a hint at probes, with what they cost here, when they can be
 * had.
 * @throws DpcapError as `pick` does
 */
export function probesInstead<T>(filePrefix: string | undefined, pick: () => T): T {
  try {
    return pick();
  } catch (error) {
    if (!(error instanceof DpcapError) || !isAboutApplication(error)) throw error;
    if (attempt(() => pickProbed(filePrefix)) === undefined) throw error;
    const { message, code, hint, subject, errno } = error;
    const hints = [hint, probesHint()].filter((one) => one !== undefined).join('\n  ');
    throw new DpcapError(code, message, { cause: error, subject, errno, hint: hints });
  }
}

/** Nobody can join it, or there is nothing to join it with, or it has no pdump: nothing that probes would not do without. */
function isAboutApplication({ code }: DpcapError): boolean {
  return code === 'ERR_PRIMARY_NOT_CAPTURABLE' || code === 'ERR_VERSION_MISMATCH' || code === 'ERR_ADDON_LOAD';
}

function probesHint(): string {
  const cost = attempt(() => ebpfAddon().pollCost());
  const about =
    cost === undefined ? '' : `, which costs it about ${(cost / 1000).toFixed(1)} us a poll on this machine`;
  return `or capture with probes of the kernel's, and nothing in the application${about}: --via ebpf`;
}
