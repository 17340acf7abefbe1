/** Refuses lanes that a capture of dpcap has already. Pure. */
import { DpcapError } from '../errors.js';
import type { LanePlan } from '../native/capture-binding.js';
import type { AttachedFacts } from '../native/primary-binding.js';

type Owner = AttachedFacts['owners'][number];

/**
 * Names the capture that holds a lane, and since when; the primary's EEXIST would not name it.
 * @throws DpcapError ERR_CAPTURE_BUSY
 */
export function refuseBusy(lanes: readonly LanePlan[], owners: readonly Owner[]): void {
  for (const owner of owners) {
    const taken = owner.lanes.find((held) => held.live && lanes.some((lane) => isSame(lane, held)));
    if (!taken) continue;
    const what = `${taken.device} queue ${taken.queue} ${taken.direction}`;
    const who = owner.running
      ? `dpcap, pid ${owner.pid}, ${since(owner)}: ${owner.purpose}`
      : `a dpcap that was killed, pid ${owner.pid}`;
    throw new DpcapError('ERR_CAPTURE_BUSY', `${what} is already being captured (${who})`, {
      errno: 'EEXIST',
      subject: what,
      hint: owner.running ? 'stop that capture first' : 'clear it with: dpcap recover',
    });
  }
}

type Held = Owner['lanes'][number];

const isSame = (lane: LanePlan, held: Held): boolean =>
  lane.port === held.port && lane.queue === held.queue && lane.direction === held.direction;

/** Such as "since 2026-11-29 04:09:32 UTC". */
function since({ startedAtNs }: Owner): string {
  const [date, time = ''] = new Date(Number(startedAtNs / 1_000_000n)).toISOString().split('T');
  return `since ${date} ${time.slice(0, 8)} UTC`;
}
