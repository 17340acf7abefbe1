/** `dpcap mirror set -i PORT --to-port PORT`: a mirror in an application, by its agent. */
import { DpcapError, type ErrorCode } from '../../../errors.js';
import { AgentController } from '../../../mirror/agent/controller.js';
import { countersText, endText, idText, mirrorJson, pathText } from '../../../mirror/agent/describe.js';
import type { ResolvedMirror } from '../../../mirror/agent/request.js';
import { AGENT_MIRROR } from '../../../mirror/agent/undo.js';
import { chooseAgent } from '../../../mirror/choose.js';
import type { MirrorEnd, MirrorStatus } from '../../../native/mirror-binding.js';
import { startTimer } from '../../../system/long-timer.js';
import { durationText } from '../../../text/duration.js';
import { TemporaryChange } from '../../../watchdog/temporary-change.js';
import { catchSignals } from '../../signals.js';
import { warn } from './confirm.js';
import { print, type RawMirrorOptions } from './options.js';
import { portRequestFrom, type Stay, stayOf } from './port-options.js';

/** A mirror of this process. */
interface Held {
  controller: AgentController;
  id: number;
  stay: Stay;
}

/** Sets a mirror, and holds it if that was asked for. */
export async function setPortMirror(words: readonly string[], raw: RawMirrorOptions): Promise<void> {
  const request = portRequestFrom(words, raw);
  const stay = stayOf(raw);
  const controller = chooseAgent(raw.filePrefix);
  const mirror = controller.resolve(request);
  warn(mirror.warnings);
  const held = { controller, id: AgentController.newId(), stay };
  if (stay.isHeld) return hold(held, mirror, raw);
  show(controller.set(mirror, held.id, Math.ceil(stay.leaseMs / 1000)), mirror, raw);
}

async function hold(held: Held, mirror: ResolvedMirror, raw: RawMirrorOptions): Promise<void> {
  const change = new TemporaryChange(AGENT_MIRROR);
  const signals = catchSignals();
  try {
    change.begin(`the mirror ${idText(held.id)} in ${held.controller.name}`, held.controller.undoRecord(held.id));
    const set = await setOrUndo(held, mirror, change);
    show(set, mirror, raw);
    if (!raw.json) warn([until(held.stay)]);
    const ended = await untilOver(held, signals.stopped);
    const last = held.controller.clear(held.id);
    change.keep();
    if (ended !== undefined) throw endedEarly(held.id, ended);
    print(
      raw,
      { effect: 'cleared', mirror: last === undefined ? null : mirrorJson(last) },
      clearedLines(held.id, last),
    );
  } finally {
    signals.dispose();
  }
}

/** The mirror may have been set all the same when its agent did not answer in time. */
async function setOrUndo(held: Held, mirror: ResolvedMirror, change: TemporaryChange): Promise<MirrorStatus> {
  try {
    return held.controller.set(mirror, held.id, Math.ceil(held.stay.leaseMs / 1000));
  } catch (error) {
    await change.undo().catch((failure: Error) => warn([`not undone: ${failure.message}; try later: dpcap recover`]));
    throw error;
  }
}

/**
 * Renews the lease until the time is over or somebody stops this process.
 * @returns why the mirror has ended by itself, if it has
 * @throws DpcapError when the application does not answer any more
 */
async function untilOver({ controller, id, stay }: Held, stopped: Promise<void>): Promise<MirrorEnd | undefined> {
  let end = (_reason?: MirrorEnd): void => undefined;
  let fail = (_error: unknown): void => undefined;
  const over = new Promise<MirrorEnd | undefined>((resolve, reject) => {
    end = resolve;
    fail = reject;
  });
  const renew = (): void => {
    try {
      const status = controller.renew(id, Math.ceil(stay.leaseMs / 1000));
      if (status?.state !== 'on') end(status?.reason ?? 'cleared');
    } catch (error) {
      fail(error);
    }
  };
  // This keeps the process alive as well, even when only a signal ends it.
  const renewal = setInterval(renew, stay.leaseMs / 4);
  const timer = stay.durationMs === undefined ? undefined : startTimer(() => end(), stay.durationMs);
  void stopped.then(() => end());
  try {
    return await over;
  } finally {
    timer?.cancel();
    clearInterval(renewal);
  }
}

function until({ durationMs }: Stay): string {
  return durationMs === undefined ? 'until Ctrl-C' : `for ${durationText(durationMs)}, or until Ctrl-C`;
}

const CODES: Record<MirrorEnd, ErrorCode> = {
  cleared: 'ERR_MIRROR_REFUSED',
  'lease-over': 'ERR_MIRROR_REFUSED',
  'source-gone': 'ERR_PORT_GONE',
  'target-gone': 'ERR_PORT_GONE',
  'target-stopped': 'ERR_PORT_UNSUITABLE',
  'queue-used': 'ERR_MIRROR_UNSAFE',
};

function endedEarly(id: number, reason: MirrorEnd): DpcapError {
  return new DpcapError(CODES[reason], `the mirror ${idText(id)} has ended: ${endText(reason)}`, {
    subject: idText(id),
    hint: 'set it again when that is mended: `dpcap mirror list` shows what is on',
  });
}

function show(status: MirrorStatus, { warnings }: ResolvedMirror, raw: RawMirrorOptions): void {
  const stays = `  it ends with: dpcap mirror clear --id ${idText(status.id)}`;
  const lines = [`mirror ${idText(status.id)}: ${pathText(status)}`, stays];
  print(raw, { effect: 'set', mirror: mirrorJson(status), warnings }, lines);
}

function clearedLines(id: number, last: MirrorStatus | undefined): string[] {
  return [
    last === undefined
      ? `mirror ${idText(id)} was off already`
      : `cleared mirror ${idText(id)}: ${countersText(last.counters)}`,
  ];
}
