/** Checks whether the primaries can be captured from. Pure: facts in, findings out. */
import type { Verdict } from '../agent/inject/judge.js';
import { DpcapError } from '../errors.js';
import { FORWARDING_RELEASE } from '../native/releases.js';
import { choosePrimary, describe } from '../primary/choose.js';
import { isAlive, isForeign, type Primary } from '../primary/discover.js';
import type { AttachNeeds } from '../primary/joining/attach-needs.js';
import { PDUMP_ZONE } from '../primary/memory/memzones.js';
import { RING_BLOCK } from '../primary/memory/ring-block.js';
import { captureToolZones, nameOfSecondary } from '../primary/secondaries.js';
import { type Check, fail, ok, warn } from './check.js';
import type { DoctorView, PrimaryView } from './gather.js';

/** All findings about primaries: which ones there are, then each (or the one asked for) in detail. */
export function primaryChecks(view: DoctorView): Check[] {
  const { primaries, filePrefix } = view;
  if (primaries instanceof Error) return [failure('primaries', primaries)];
  const wanted = primaries.filter(({ primary }) => filePrefix === undefined || primary.filePrefix === filePrefix);
  const alive = wanted.filter(({ primary }) => isAlive(primary));
  const severe = alive.every((one) => one.capturability.verdict === 'no' && !hasAgent(one));
  return [
    presenceCheck(primaries, filePrefix),
    ...leftoverChecks(wanted.filter(({ primary }) => !isAlive(primary))),
    ...alive.flatMap((one) => [
      ...agentCheck(one),
      ...capturableChecks(one, severe || one.primary.filePrefix === filePrefix),
      ...opsCheck(one),
      ...toolsCheck(one),
      ...secondariesCheck(one),
      ...staleCheck(one),
      ...probesCheck(one),
    ]),
  ];
}

function presenceCheck(primaries: readonly PrimaryView[], filePrefix: string | undefined): Check {
  const found = primaries.map((one) => one.primary);
  const alive = found.filter(isAlive);
  try {
    return ok('primaries', describe(choosePrimary(found, filePrefix)));
  } catch (error) {
    if (!(error instanceof DpcapError)) throw error;
    if (error.code !== 'ERR_PRIMARY_AMBIGUOUS') return failure('primaries', error);
    return warn('primaries', `${alive.length} are running`, error.hint ?? '');
  }
}

/** Findings about primaries that are not alive. Many dead ones become one finding: all would say the same. */
function leftoverChecks(left: readonly PrimaryView[]): Check[] {
  const dead = left.filter(({ primary }) => primary.state === 'dead');
  if (dead.length <= MOST_LEFTOVERS) return left.map(leftoverCheck);
  const [first, last] = [dead[0], dead.at(-1)].map((one) => one?.primary.filePrefix);
  const detail = `${dead.length} have ended and left their files (${first} to ${last})`;
  const remedy = 'harmless; an application clears its own when it starts again';
  const others = left.filter((one) => !dead.includes(one)).map(leftoverCheck);
  return [...others, warn('processes', detail, remedy)];
}

/** The most dead primaries that are listed one by one. */
const MOST_LEFTOVERS = 5;

function leftoverCheck({ primary, capturability }: PrimaryView): Check {
  const detail = capturability.reasons[0]?.message ?? primary.state;
  const remedy =
    primary.state === 'unreadable'
      ? (capturability.reasons[0]?.hint ?? '')
      : `harmless; the application clears ${primary.runtimeDir} when it starts again`;
  return warn(`${primary.filePrefix}: process`, detail, remedy);
}

function hasAgent({ agent }: PrimaryView): boolean {
  return agent !== undefined && !(agent instanceof Error);
}

function agentCheck({ primary, agent, captureBy, injection }: PrimaryView): Check[] {
  if (agent === undefined) return injection === undefined ? [] : [injectionCheck(primary, injection)];
  const name = `${primary.filePrefix}: agent`;
  if (agent instanceof Error)
    return [warn(name, agent.message, agent.hint ?? 'captures go through pdump: --via pdump')];
  const ports = agent.ports.map(({ name: port }) => port).join(', ') || 'none yet';
  const injected = agent.isInjected ? ', injected while that ran' : '';
  const way = captureBy === undefined ? '' : `; capture: ${captureBy}`;
  return [ok(name, `answers in pid ${agent.pid}${injected}, ports ${ports}; filters: ${agent.filters}${way}`)];
}

/** Whether it could get an agent while it runs. That it could not is no fault. */
function injectionCheck({ filePrefix, pid }: Primary, injection: Verdict): Check {
  const name = `${filePrefix}: agent`;
  if (injection.kind === 'refused')
    return ok(name, `none; it cannot get one while it runs: ${injection.error.message}`);
  return ok(name, `none; it can get one while it runs: dpcap agent inject ${pid}`);
}

/** Whether it can be joined, for pdump. `severe` means that no other primary could have been meant. */
function capturableChecks(view: PrimaryView, severe: boolean): Check[] {
  const { primary, facts, capturability, origin } = view;
  const name = (what: string): string => `${primary.filePrefix}: ${what}`;
  if (capturability.verdict === 'no') {
    // Nobody has to join an application with an agent.
    if (hasAgent(view)) return [ok(name('capturable'), 'through its agent alone')];
    const judge = severe ? fail : warn;
    return capturability.reasons.map(({ message, hint }) => judge(name('capturable'), message, hint));
  }
  return [
    ok(name('version'), [`DPDK ${primary.version?.text ?? 'unknown'}`, origin ?? []].flat().join(', ')),
    ok(name('mp_socket'), 'listens for secondaries'),
    facts.memzones === undefined
      ? warn(name('pdump'), 'not visible from outside', 'attaching tells: start a capture')
      : ok(name('pdump'), `ready (${PDUMP_ZONE})`),
    ...descriptorCheck(name('open files'), facts.needs),
  ];
}

/** Checks the limit of open files, with a reserve: a capture that grows opens more of the primary's pages. */
function descriptorCheck(name: string, needs: AttachNeeds | undefined): Check[] {
  if (needs?.descriptors === undefined) return [];
  const detail = `joining takes about ${needs.descriptors}, the limit is ${needs.descriptorLimit}`;
  if (needs.descriptors * 1.25 <= needs.descriptorLimit) return [ok(name, detail)];
  return [warn(name, `${detail}: a capture may not be able to grow`, 'raise the hard limit: ulimit -Hn, LimitNOFILE=')];
}

function opsCheck({ primary, ops, capturability }: PrimaryView): Check[] {
  if (capturability.verdict === 'no') return [];
  const name = `${primary.filePrefix}: mempool ops`;
  if (!ops) {
    const why = isForeign(primary) ? "not looked at: it is another user's" : 'out of reach: in another PID namespace';
    return [warn(name, why, 'run dpcap as its user, and in its namespaces')];
  }
  if (!ops.names) {
    return [
      warn(
        name,
        ops.reason,
        'run dpcap as root; else only mempools that prove the order, or --trust-mempools, allow a capture',
      ),
    ];
  }
  const index = ops.names.indexOf(RING_BLOCK[0]);
  const detail = `${RING_BLOCK[0]} at index ${index} of ${ops.names.length} (${ops.source}); dpcap takes over this order`;
  return [ok(name, detail)];
}

function toolsCheck({ primary, facts, capturability }: PrimaryView): Check[] {
  const name = `${primary.filePrefix}: other captures`;
  const attached = capturability.warnings.map(({ message, hint }) => warn(name, message, hint));
  if (attached.length > 0) return attached;
  const left = captureToolZones(facts.memzones ?? []);
  if (left.length === 0) return [ok(name, 'none')];
  const detail = `a killed capture tool left ${left.join(', ')}; the primary may still copy packets into it`;
  return [warn(name, detail, 'restart the application, or disable the capture with the tool that made it')];
}

/**
 * From 25.11 on the primary passes each request on to its secondaries. Whether one has registered is known only to whoever
 * asks it, as a capture does, unless it lacks the library.
 */
function secondariesCheck({ primary, facts }: PrimaryView): Check[] {
  if ((primary.version?.number ?? 0) < FORWARDING_RELEASE) return [];
  const name = `${primary.filePrefix}: secondaries`;
  const others = facts.secondaries.filter(({ ours }) => !ours);
  const silent = others.filter(({ lacksPdump }) => lacksPdump);
  const possible = others.filter(({ lacksPdump }) => !lacksPdump).map(nameOfSecondary);
  return [
    ...silent.map((one) => {
      const detail = `${nameOfSecondary(one)} cannot have called rte_pdump_init(), it has no librte_pdump`;
      const remedy = 'the primary waits 5 s for it at each request of a capture: end it before, or have it call that';
      return warn(name, detail, remedy);
    }),
    ...(possible.length > 0 ? [ok(name, `${possible.join(', ')}: a capture asks whether they take part`)] : []),
  ];
}

function staleCheck({ primary, stale }: PrimaryView): Check[] {
  if (stale === undefined) return [];
  const name = `${primary.filePrefix}: stale captures`;
  if (stale.length === 0) return [ok(name, 'none')];
  const detail = stale.map(({ pid, description }) => `pid ${pid} left ${description}`).join('; ');
  return [warn(name, detail, `clear them: dpcap recover --file-prefix ${primary.filePrefix}`)];
}

/** Probes are a way beside the others, so nothing is wrong without them. */
function probesCheck({ primary, probesLack }: PrimaryView): Check[] {
  if (probesLack === undefined) return [];
  const name = `${primary.filePrefix}: probes`;
  return [ok(name, probesLack === '' ? 'possible (--via ebpf)' : `not possible: ${probesLack}`)];
}

function failure(name: string, error: DpcapError): Check {
  return fail(name, error.message, error.hint ?? '');
}
