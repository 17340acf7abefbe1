/** Chooses the primary that the user means. */
import { DpcapError } from '../errors.js';
import { isAlive, isForeign, type Primary } from './discover.js';
import { checkPrefix, runtimeEnvironment } from './runtime-dir.js';

/**
 * Returns the primary to capture from: the one with this prefix, or without a prefix the only one that runs. Primaries
 * under dpcap's own runtime root come first, then those elsewhere; of the latter, one of another user has to be named.
 * @throws DpcapError ERR_PRIMARY_ABSENT, ERR_PRIMARY_AMBIGUOUS or ERR_PERMISSION; UsageError for an impossible prefix
 */
export function choosePrimary(primaries: readonly Primary[], prefix: string | undefined): Primary {
  if (prefix !== undefined) checkPrefix(prefix);
  const wanted = primaries.filter((one) => (prefix === undefined ? !isForeign(one) : one.filePrefix === prefix));
  const alive = likeliest(wanted.filter(isAlive));
  const chosen = alive[0] ?? (prefix === undefined ? undefined : (wanted.find(isClosed) ?? wanted[0]));
  if (chosen === undefined) throw absent(prefix, primaries, primaries.filter(isAlive));
  if (isClosed(chosen)) throw unreadable(chosen);
  if (chosen.state === 'dead') throw dead(chosen);
  if (new Set(alive.map((one) => `${one.filePrefix} ${one.runtimeDir}`)).size > 1) throw ambiguous(alive);
  return chosen;
}

/**
 * Whether choosePrimary() would choose the same, or refuse for the same reason, if it also knew of primaries elsewhere.
 * Looking for those takes 15 ms.
 */
export function isDecidedHere(primaries: readonly Primary[], prefix: string | undefined): boolean {
  const wanted = (one: Primary): boolean => prefix === undefined || one.filePrefix === prefix;
  return primaries.some((one) => wanted(one) && isAlive(one) && one.shared && one.elsewhere === undefined);
}

/** A primary that nobody can join from here is not the one that is meant, unless there is no other. */
function likeliest(alive: readonly Primary[]): readonly Primary[] {
  const joinable = alive.filter((one) => one.shared && !one.elsewhere?.isHidden);
  const here = joinable.filter((one) => one.elsewhere === undefined);
  return [here, joinable].find((some) => some.length > 0) ?? alive;
}

function isClosed(primary: Primary): boolean {
  return primary.state === 'unreadable';
}

/**
 * Returns the primaries with this file prefix, whatever their state; without a prefix, all of them.
 * @throws UsageError for an impossible prefix, DpcapError ERR_PRIMARY_ABSENT when no primary has it
 */
export function primariesWithPrefix(primaries: readonly Primary[], prefix: string | undefined): Primary[] {
  if (prefix === undefined) return [...primaries];
  checkPrefix(prefix);
  const wanted = primaries.filter((one) => one.filePrefix === prefix);
  if (wanted.length === 0) throw absent(prefix, primaries, primaries.filter(isAlive));
  return wanted;
}

function absent(prefix: string | undefined, primaries: readonly Primary[], alive: readonly Primary[]): DpcapError {
  const hidden = primaries.find(isClosed);
  if (prefix === undefined && hidden) return unreadable(hidden);
  const about = prefix === undefined ? '' : ` with file prefix ${prefix}`;
  const hint =
    alive.length > 0
      ? `running: ${alive.map(describe).join(', ')}; choose one with --file-prefix`
      : 'start the DPDK application first; one of another user has its files elsewhere (XDG_RUNTIME_DIR)';
  return new DpcapError('ERR_PRIMARY_ABSENT', `no DPDK primary process${about} is running`, { subject: prefix, hint });
}

function ambiguous(alive: readonly Primary[]): DpcapError {
  const prefixes = new Set(alive.map((one) => one.filePrefix));
  const choices =
    prefixes.size === alive.length
      ? `choose one with --file-prefix: ${alive.map(describe).join(', ')}`
      : `choose one by its directory: ${alive.map((one) => `${command(one)} is ${describe(one)}`).join('; ')}`;
  return new DpcapError('ERR_PRIMARY_AMBIGUOUS', 'several DPDK primary processes are running', { hint: choices });
}

/** The command that selects a primary among those with the same file prefix. */
function command({ filePrefix, runtimeDir }: Primary): string {
  const { RUNTIME_DIRECTORY: directory } = runtimeEnvironment(runtimeDir);
  return `${directory === undefined ? '' : `RUNTIME_DIRECTORY=${directory} `}dpcap --file-prefix ${filePrefix}`;
}

function unreadable(primary: Primary): DpcapError {
  return new DpcapError('ERR_PERMISSION', `cannot look at the primary ${primary.filePrefix}: ${primary.reason}`, {
    subject: primary.runtimeDir || primary.filePrefix,
    hint: 'run dpcap as the user that runs the DPDK application (mostly root)',
  });
}

function dead(primary: Primary): DpcapError {
  const message = `the primary ${primary.filePrefix} has ended; only its files are left in ${primary.runtimeDir}`;
  return new DpcapError('ERR_PRIMARY_ABSENT', message, {
    subject: primary.filePrefix,
    hint: 'start the DPDK application again',
  });
}

/** For lists in messages: `rte (dpdk-testpmd, pid 4711)`. */
export function describe(primary: Primary): string {
  const where = primary.elsewhere && primary.runtimeDir ? `in ${primary.runtimeDir}` : undefined;
  const about = [primary.process?.program, primary.pid === undefined ? undefined : `pid ${primary.pid}`, where];
  const known = about.filter((word) => word !== undefined);
  return known.length > 0 ? `${primary.filePrefix} (${known.join(', ')})` : primary.filePrefix;
}
