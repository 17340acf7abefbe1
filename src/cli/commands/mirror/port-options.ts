/** Turns the raw options of `dpcap mirror` about ports into requests. */
import { UsageError } from '../../../errors.js';
import type { MirrorSelector } from '../../../mirror/agent/controller.js';
import { parseAccepted } from '../../../mirror/agent/dangers.js';
import { type PortMirrorRequest, parsePushedVlan, parseQueue, SNAPLEN } from '../../../mirror/agent/request.js';
import { HELD_LEASE_MS, type Stay } from '../../../mirror/hold.js';
import { durationText, parseDuration } from '../../../text/duration.js';
import { checkOptions } from '../../capture-options.js';
import { readFilter } from '../../filter-options.js';
import type { RawMirrorOptions } from './options.js';
import { tunnelFrom } from './tunnel-options.js';

const SECOND = 1000;
const LONGEST_MS = 7 * 86_400_000;

/** @throws UsageError with the place of a mistake in a filter */
export function portRequestFrom(words: readonly string[], raw: RawMirrorOptions): PortMirrorRequest {
  const { direction, snapshotLength } = raw;
  const { directions, snaplen } = checkOptions({
    ...(direction === undefined ? {} : { direction }),
    ...(snapshotLength === undefined ? {} : { snapshotLength }),
  });
  if (snaplen < SNAPLEN.min) {
    throw new UsageError(`-s: ${snaplen} bytes are no frame`, {
      subject: String(snaplen),
      hint: `give at least ${SNAPLEN.min}, or 0 for all of each packet`,
    });
  }
  return {
    source: needed('-i', onePort(raw)),
    ...targetFrom(raw),
    targetQueue: raw.toQueue === undefined ? undefined : parseQueue(raw.toQueue),
    directions,
    snaplen,
    vlanTci: raw.pushVlan === undefined ? undefined : parsePushedVlan(raw.pushVlan),
    byReference: raw.byReference ?? false,
    accepted: raw.accept === undefined ? [] : parseAccepted(raw.accept),
    filter: readFilter(words, raw),
  };
}

function targetFrom(raw: RawMirrorOptions): Pick<PortMirrorRequest, 'target' | 'tunnel'> {
  return tunnelFrom(raw) ?? { target: needed('--to-port', raw.toPort), tunnel: undefined };
}

/**
 * For how long a mirror is to stay. There is no mirror for ever: one that was forgotten ends by itself.
 * @throws UsageError
 */
export function stayOf(raw: RawMirrorOptions): Stay {
  const range = { min: SECOND, max: LONGEST_MS };
  const leaseMs = raw.lease === undefined ? undefined : parseDuration('--lease', raw.lease, range);
  const durationMs = raw.for === undefined ? undefined : parseDuration('--for', raw.for, { max: LONGEST_MS });
  const isHeld = durationMs !== undefined || raw.untilExit === true;
  if (isHeld || leaseMs !== undefined) return { isHeld, durationMs, leaseMs: leaseMs ?? HELD_LEASE_MS };
  throw new UsageError('for how long?', {
    hint: `add --until-exit, or --for 5m; or let it stay without this process, with --lease 8h (at most ${durationText(LONGEST_MS)})`,
  });
}

/**
 * Which mirrors are meant.
 * @throws UsageError when an id is none
 */
export function selectorFrom(raw: RawMirrorOptions): MirrorSelector {
  const { id, toPort: target } = raw;
  if (id !== undefined && !/^[0-9a-f]{8}$/i.test(id)) {
    throw new UsageError(`--id: ${JSON.stringify(id)} is no id of a mirror`, {
      subject: id,
      hint: 'dpcap mirror list shows them: eight hexadecimal digits',
    });
  }
  return { id: id === undefined ? undefined : Number.parseInt(id, 16), source: onePort(raw), target };
}

/** @throws UsageError for several: each mirror has one source, and an id and counters of its own */
function onePort({ interface: ports = [] }: RawMirrorOptions): string | undefined {
  const [first, second] = ports;
  if (second === undefined) return first;
  throw new UsageError(`-i is given twice: \`${first}\` and \`${second}\``, {
    subject: second,
    hint: 'a mirror has one source: set one for each; several may have the same target',
  });
}

function needed(option: string, text: string | undefined): string {
  if (text !== undefined) return text;
  throw new UsageError(`a mirror of a port needs ${option}`, {
    hint: 'write it like: dpcap mirror set -i 0 -Q rx --to-port 1 --until-exit; off the host, with --to and --out-port',
  });
}
