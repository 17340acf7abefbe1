/** `dpcap capture --mirror`: the mirror is on while the capture runs, and the capture is of the target VF's port. */
import { DpcapError, UsageError } from '../../../errors.js';
import { chooseController, requireChanging } from '../../../mirror/choose.js';
import type { MirrorController, Preview, VfFacts } from '../../../mirror/controller.js';
import { sentence } from '../../../mirror/describe.js';
import { describeVf } from '../../../mirror/resolve.js';
import { type MirrorSpec, parseMirrorSpec } from '../../../mirror/target-spec.js';
import { MIRROR } from '../../../mirror/undo.js';
import { warn } from '../../../mirror/warn.js';
import { systemHost } from '../../../primary/host.js';
import { collectListings, type Listing } from '../../../primary/listing.js';
import { runtimeRoot } from '../../../primary/runtime-dir.js';
import { catchSignals } from '../../../system/signals.js';
import { TemporaryChange } from '../../../watchdog/temporary-change.js';
import { beforeChange, setOrUndo } from './set.js';

/** Options of the capture command that matter here. */
export interface RawCaptureMirror {
  mirror?: string;
  mirrorFifo?: string;
  mirrorConfig?: string;
  filePrefix?: string;
  interface?: string[];
}

/** The primary and the port to capture from. */
export interface TargetPort {
  filePrefix?: string;
  interface?: string[];
}

/** What a mirrored capture needs of the machine; tests have their own. */
export interface MirrorHost {
  controller: MirrorController;
  change: TemporaryChange;
  listings: () => readonly Listing[];
}

/** Decides on everything that can fail before a mirror is set. Resolves with a function that runs the capture. */
export type PrepareCapture = (where: TargetPort) => Promise<() => Promise<void>>;

/**
 * Runs a capture with the mirror on. The mirror is cleared however the capture ends.
 * @param prepare called before the mirror is set, with the port of the target VF: some NICs have only four rules, and
 *   a mistake must not cost one of them
 * @throws UsageError, before anything is set, when nothing can capture at the target VF
 */
export async function captureMirrored(
  raw: RawCaptureMirror & { mirror: string },
  prepare: PrepareCapture,
  host: MirrorHost = realHost(raw),
): Promise<void> {
  const spec = parseMirrorSpec(raw.mirror);
  requireChanging(host.controller);
  const signals = catchSignals();
  try {
    const run = await setForCapture(spec, raw, prepare, host);
    if (!signals.isStopped()) await run();
  } finally {
    await clearAfter(host.change);
    signals.dispose();
  }
}

function realHost(raw: RawCaptureMirror): MirrorHost {
  return {
    controller: chooseController({ fifo: raw.mirrorFifo, config: raw.mirrorConfig }),
    change: new TemporaryChange(MIRROR),
    listings: () => collectListings(runtimeRoot(), systemHost()),
  };
}

async function setForCapture(
  spec: MirrorSpec,
  raw: RawCaptureMirror,
  prepare: PrepareCapture,
  host: MirrorHost,
): Promise<() => Promise<void>> {
  let run = async (): Promise<void> => {};
  const announce = beforeChange({}, true, host.change);
  const before = async (preview: Preview): Promise<void> => {
    run = await prepare(choosePort(preview.target, raw, host.listings()));
    await announce(preview);
  };
  const request = { ...spec, force: false, byConfig: false };
  const outcome = await setOrUndo(host.controller, request, before, host.change);
  if (outcome.effect !== 'planned') warn([sentence(outcome.preview), ...outcome.warnings]);
  return run;
}

/**
 * Chooses the port of the target VF, unless the user named one.
 * @throws UsageError when no port was named and no primary that can be captured has the target VF
 */
export function choosePort(target: VfFacts, raw: RawCaptureMirror, listings: readonly Listing[]): TargetPort {
  const owner = findOwner(target, listings);
  const isNamed = raw.interface !== undefined && raw.interface.length > 0;
  if (!owner && !isNamed) {
    throw new UsageError(`no primary that can be captured owns the target ${describeVf(target)}`, {
      code: 'ERR_PORT_UNKNOWN',
      subject: target.pci,
      hint: 'name a port with -i, or run tcpdump at the target while this holds: dpcap mirror set ... --until-exit',
    });
  }
  if (owner && !isNamed) return { filePrefix: owner.filePrefix, interface: [owner.port] };
  if (owner && !raw.interface?.some((one) => one === owner.port || one === String(owner.id))) {
    warn([`the target is port ${owner.id} (${owner.port}) of ${owner.filePrefix}, not the one named with -i`]);
  }
  return {};
}

function findOwner(
  { pci }: VfFacts,
  listings: readonly Listing[],
): { filePrefix: string; port: string; id: number } | undefined {
  for (const { primary, capturability, ports } of listings) {
    const port = ports?.find(({ name }) => pci !== undefined && name.toLowerCase() === pci);
    if (port && capturability.verdict !== 'no') return { filePrefix: primary.filePrefix, port: port.name, id: port.id };
  }
  return undefined;
}

async function clearAfter(change: TemporaryChange): Promise<void> {
  try {
    const done = await change.undo();
    if (done !== undefined) warn([done]);
  } catch (error) {
    throw new DpcapError('ERR_MIRROR_REFUSED', `the mirror is not cleared: ${(error as Error).message}`, {
      cause: error,
      hint: 'try again with: dpcap recover',
    });
  }
}
