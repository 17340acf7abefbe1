/** Decides whether a primary can be captured from, and if not, why and what to do, before dpcap joins anything. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { isDpvs } from '../dpvs/identify.js';
import { DpcapError, type ErrorCode } from '../errors.js';
import { OTHER_BUILD_HINT } from '../native/errors.js';
import { FIRST_FILTERING_RELEASE } from '../native/releases.js';
import { isAlive, type Primary } from './discover.js';
import type { Host } from './host.js';
import { type AttachNeeds, attachNeeds } from './joining/attach-needs.js';
import type { Libraries } from './joining/libraries.js';
import { PDUMP_ZONE, readMemzones } from './memory/memzones.js';
import { otherLimits } from './memory/pdump-limits.js';
import { currentUid } from './runtime-dir.js';
import { findSecondaries, type Secondary } from './secondaries.js';
import { type SilentProcess, silenceError, stoppedProcesses } from './silent-processes.js';
import { ealParams, memzonesByTelemetry, telemetrySocket } from './telemetry.js';

/** What can be seen of a primary from outside. It is gathered once, and pure functions judge it. */
export interface PrimaryFacts {
  /** Whether the channel exists over which a capture is requested. */
  hasMpSocket: boolean;
  /** Whether its memory is in files of hugetlbfs, and listed. */
  hasHugepageInfo: boolean;
  /** Undefined when neither its files nor telemetry tell them: they are known after the attach. */
  memzones: string[] | undefined;
  /** How the limits that its DPDK was built with differ from those of dpcap, as far as its files show. */
  otherLimits: string | undefined;
  /** Arguments of rte_eal_init(); from telemetry, else guessed from the command line. */
  ealArguments: string[];
  telemetrySocket: string | undefined;
  secondaries: Secondary[];
  /** The processes that share its memory, the primary included, and are stopped. */
  stopped: SilentProcess[];
  /** Undefined when nobody can join it anyway. */
  needs: AttachNeeds | undefined;
  /** Effective uid of dpcap. */
  uid: number;
}

/** One reason against capturing. */
export interface Reason {
  code: ErrorCode;
  message: string;
  hint: string;
}

/** The verdict `unknown`: nothing speaks against a capture, but pdump cannot be seen from outside. */
export interface Capturability {
  verdict: 'yes' | 'no' | 'unknown';
  /** The first reason is the one to act on first. Empty unless the verdict is no. */
  reasons: Reason[];
  /** Facts that do not prevent a capture: for example another capture tool that may hold the port. */
  warnings: Reason[];
}

/** Reads the files of one primary and, when it answers, its telemetry; nothing of a primary that is not there. */
export function gatherFacts(primary: Primary, host: Host): PrimaryFacts {
  if (!isAlive(primary) || primary.elsewhere?.isHidden) return noFacts();
  const stopped = stoppedProcesses({ runtimeDir: primary.runtimeDir, primaryPid: primary.pid }, host.procDir);
  const isStopped = stopped.some(({ role }) => role === 'primary'); // it would not answer
  const socket = isStopped ? undefined : telemetrySocket(primary, host);
  const told = socket === undefined ? undefined : ealParams(socket, host);
  const has = (name: string): boolean => existsSync(join(primary.runtimeDir, name));
  const zones = primary.shared ? readMemzones(primary.runtimeDir, host.addon.memzoneLayout) : undefined;
  const names = zones?.map(({ name }) => name);
  return {
    hasMpSocket: has('mp_socket'),
    hasHugepageInfo: has('hugepage_info'),
    memzones: names ?? (socket === undefined ? undefined : memzonesByTelemetry(socket, host)),
    otherLimits: otherLimits(zones?.find(({ name }) => name === PDUMP_ZONE)?.bytes, host.addon.pdumpLimits),
    ealArguments: ealPart(told ?? primary.process?.commandLine ?? []),
    telemetrySocket: socket,
    secondaries: findSecondaries(primary.runtimeDir, host.procDir),
    stopped,
    needs: primary.shared ? attachNeeds(primary, host.procDir) : undefined,
    uid: currentUid(),
  };
}

function noFacts(): PrimaryFacts {
  return {
    hasMpSocket: false,
    hasHugepageInfo: false,
    memzones: undefined,
    otherLimits: undefined,
    ealArguments: [],
    telemetrySocket: undefined,
    secondaries: [],
    stopped: [],
    needs: undefined,
    uid: currentUid(),
  };
}

/** The words up to the `--` after which an application has its own arguments. */
function ealPart(words: string[]): string[] {
  const end = words.indexOf('--');
  return end === -1 ? words : words.slice(0, end);
}

/**
 * Gives the verdict; a pure function.
 * @param libraries what dpcap would join it with, or why it has none; undefined where that does not matter
 */
export function assess(
  primary: Primary,
  facts: PrimaryFacts,
  libraries: Libraries | DpcapError | undefined,
): Capturability {
  const hidden = hiddenFiles(primary);
  if (hidden) return { verdict: 'no', reasons: [hidden], warnings: [] };
  const reasons = [
    notRunning(primary),
    notPermitted(primary, facts),
    notShared(primary, facts),
    otherVersion(primary, libraries),
    otherBuild(facts),
    noChannel(facts),
    notAnswering(facts),
    otherHugepages(primary, facts),
    tooFewDescriptors(facts),
    noPdump(primary, facts),
  ].filter((reason) => reason !== undefined);
  const verdict = reasons.length > 0 ? 'no' : facts.memzones === undefined ? 'unknown' : 'yes';
  // For a primary that is not there the other reasons are only noise.
  return { verdict, reasons: isAlive(primary) ? reasons : reasons.slice(0, 1), warnings: busy(facts) };
}

/** What inspect() found. */
export interface Inspection {
  facts: PrimaryFacts;
  /** Undefined when the primary is not there, or does not tell its release. */
  libraries: Libraries | DpcapError | undefined;
  capturability: Capturability;
}

/** Calls {@link gatherFacts}, then {@link assess} with the libraries that are here. */
export function inspect(primary: Primary, host: Host): Inspection {
  const facts = gatherFacts(primary, host);
  const { pid, version } = primary;
  const libraries = version && isAlive(primary) ? host.librariesFor({ pid, version }) : undefined;
  return { facts, libraries, capturability: assess(primary, facts, libraries) };
}

/**
 * Refuses a primary that cannot be captured from; `unknown` passes.
 * @throws DpcapError with the code of the first reason
 */
export function requireCapturable(primary: Primary, capturability: Capturability): void {
  const reason = capturability.reasons[0];
  if (capturability.verdict !== 'no' || !reason) return;
  const message = `cannot capture from the primary ${primary.filePrefix}: ${reason.message}`;
  throw new DpcapError(reason.code, message, { hint: reason.hint, subject: primary.filePrefix });
}

function notRunning(primary: Primary): Reason | undefined {
  switch (primary.state) {
    case 'running':
      return undefined;
    case 'starting':
      return notCapturable('it has not finished rte_eal_init()', 'try again when the application has started');
    case 'dead':
      return reason('ERR_PRIMARY_ABSENT', 'it has ended; only its files are left', 'start the DPDK application again');
    case 'unreadable':
      return reason('ERR_PERMISSION', primary.reason ?? 'it cannot be looked at', 'run dpcap as the user that runs it');
  }
}

function notPermitted(primary: Primary, facts: PrimaryFacts): Reason | undefined {
  const owner = primary.process?.uid;
  if (owner === undefined || facts.uid === 0 || owner === facts.uid) return undefined;
  const hint = `run dpcap as ${primary.process?.user} or as root`;
  return reason('ERR_PERMISSION', `it belongs to ${primary.process?.user}`, hint);
}

/** EAL options that keep every secondary out, with the shortest form that getopt_long accepts for each. */
const PRIVATE_OPTIONS: { option: string; shortest: string; secluded: (value: string | undefined) => boolean }[] = [
  { option: '--in-memory', shortest: '--in', secluded: () => true },
  { option: '--no-huge', shortest: '--no-hu', secluded: () => true },
  { option: '--no-shconf', shortest: '--no-s', secluded: () => true },
  // Without a value it means "always"; "existing" is the default of EAL and harmless.
  { option: '--huge-unlink', shortest: '--huge-u', secluded: (value) => value === undefined || value === 'always' },
];

function notShared(primary: Primary, facts: PrimaryFacts): Reason | undefined {
  const given = facts.ealArguments.flatMap((word) => {
    const [name, value] = word.split('=', 2) as [string, string | undefined];
    const match = PRIVATE_OPTIONS.find(({ option, shortest }) => name.startsWith(shortest) && option.startsWith(name));
    return match?.secluded(value) ? [match.option] : [];
  })[0];
  if (given) return notCapturable(`it was started with ${given}`, `restart the application without ${given}`);
  if (!primary.shared) {
    const message = 'it keeps its configuration to itself (--in-memory or --no-shconf)';
    return notCapturable(message, 'restart the application without these EAL options');
  }
  if (primary.state === 'running' && !facts.hasHugepageInfo) {
    return notCapturable('its memory is not in huge pages (--no-huge)', 'restart the application with huge pages');
  }
  return undefined;
}

function otherVersion(primary: Primary, libraries: Libraries | DpcapError | undefined): Reason | undefined {
  if (isDpvs(primary) && (primary.version?.number ?? 0) < FIRST_FILTERING_RELEASE) return oldDpvs(primary);
  if (!(libraries instanceof DpcapError)) return undefined;
  return reason(libraries.code, libraries.message, libraries.hint ?? '');
}

/** Others of its limits are known only to who joins it. */
function otherBuild({ otherLimits }: PrimaryFacts): Reason | undefined {
  return otherLimits === undefined ? undefined : reason('ERR_VERSION_MISMATCH', otherLimits, OTHER_BUILD_HINT);
}

/** Its old pdump has neither BPF nor snaplen, and crashes on a request without a filter structure (dpvs.md 3.2). */
function oldDpvs(primary: Primary): Reason {
  const message = `DPVS on DPDK ${primary.version?.text} can be toggled with forward2kni, but not captured from`;
  const hint = 'use dpcap forward2kni PORT on and tcpdump on the KNI interface, or DPVS 1.10 and later';
  return reason('ERR_VERSION_MISMATCH', message, hint);
}

/** The primary's config was seen through /proc; under that name there is another file here, or none. */
function hiddenFiles(primary: Primary): Reason | undefined {
  if (!primary.elsewhere?.isHidden) return undefined;
  const message = `its files are in another mount namespace (${primary.runtimeDir} there)`;
  return notCapturable(message, whereItIs(primary, primary.runtimeDir));
}

/** EAL would try to open the primary's pages by their names, and fail whatever addresses it tries. */
function otherHugepages(primary: Primary, { needs }: PrimaryFacts): Reason | undefined {
  if (needs?.missingDir === undefined) return undefined;
  const message = `its huge pages are in ${needs.missingDir}, which is mounted in its own mount namespace only`;
  return notCapturable(message, whereItIs(primary, needs.missingDir));
}

function whereItIs({ pid }: Primary, dir: string): string {
  return `run dpcap there (nsenter --target ${pid} --mount --pid dpcap ...), or share ${dir} with this mount namespace`;
}

function tooFewDescriptors({ needs }: PrimaryFacts): Reason | undefined {
  if (needs?.descriptors === undefined || needs.descriptors <= needs.descriptorLimit) return undefined;
  const message =
    `joining it takes ${needs.descriptors} open files, one for each of its ${needs.hugepageFiles} files of huge pages, ` +
    `and the limit is ${needs.descriptorLimit}`;
  return notCapturable(
    message,
    `raise it: ulimit -Hn ${needs.descriptors * 2} (systemd: LimitNOFILE=), or start the application with larger pages`,
  );
}

function noChannel(facts: PrimaryFacts): Reason | undefined {
  if (facts.hasMpSocket) return undefined;
  const message = 'it does not listen for secondaries (no mp_socket: rte_mp_disable() or --no-shconf)';
  return notCapturable(message, 'restart the application with multi-process support');
}

/** A request to the primary for memory needs an answer from all processes that share the memory. */
function notAnswering(facts: PrimaryFacts): Reason | undefined {
  const error = silenceError(facts.stopped);
  if (!error) return undefined;
  const message =
    error.code === 'ERR_PRIMARY_STOPPED'
      ? `it (${error.subject}) is stopped`
      : `${error.subject}, which shares its memory, is stopped`;
  return reason(error.code, message, error.hint ?? '');
}

function noPdump(primary: Primary, facts: PrimaryFacts): Reason | undefined {
  if (facts.memzones === undefined || facts.memzones.includes(PDUMP_ZONE)) return undefined;
  if (primary.version && primary.version.number < FIRST_FILTERING_RELEASE) return undefined; // pdump has no memzone there
  const message = 'it has not called rte_pdump_init()';
  if (isDpvs(primary)) return notCapturable(message, 'set "pdump on" in global_defs of dpvs.conf and restart DPVS');
  return notCapturable(message, 'call rte_pdump_init() after rte_eal_init() in the application');
}

/** Only the primary knows who captures what, so an attached tool is only a warning. */
function busy(facts: PrimaryFacts): Reason[] {
  return facts.secondaries
    .filter((one) => one.captures)
    .map(({ program, pid, ours }) => {
      const name = ours ? 'another dpcap' : (program ?? 'another capture tool');
      const message = `${name} (pid ${pid}) is attached; a queue can be captured by one tool at a time`;
      return reason('ERR_CAPTURE_BUSY', message, 'stop it first if the ports or queues are the same');
    });
}

function notCapturable(message: string, hint: string): Reason {
  return reason('ERR_PRIMARY_NOT_CAPTURABLE', message, hint);
}

function reason(code: ErrorCode, message: string, hint: string): Reason {
  return { code, message, hint };
}
