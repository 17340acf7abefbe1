/** `dpcap mirror set` switches a mirror on: for good, for a while, or until this process ends. */

import { DpcapError } from '../../../errors.js';
import { requireChanging } from '../../../mirror/choose.js';
import type { BeforeChange, MirrorController, SetOutcome, SetRequest } from '../../../mirror/controller.js';
import { advice, planLines, sentence } from '../../../mirror/describe.js';
import { describeVf } from '../../../mirror/resolve.js';
import { describeMirror, MIRROR } from '../../../mirror/undo.js';
import { warn } from '../../../mirror/warn.js';
import { startTimer } from '../../../system/long-timer.js';
import { catchSignals } from '../../../system/signals.js';
import { durationText, parseDuration } from '../../../text/duration.js';
import { TemporaryChange } from '../../../watchdog/temporary-change.js';
import { confirmInterruption } from './confirm.js';
import { print, type RawMirrorOptions } from './options.js';

type Done = Exclude<SetOutcome, { effect: 'planned' }>;
type Planned = Extract<SetOutcome, { effect: 'planned' }>;

/** The longest `--for`, seven days: a mirror that is forgotten for longer helps nobody. */
const LONGEST_MS = 7 * 86_400_000;

/** Sets a mirror. Returns the exit code. */
export async function setMirror(
  controller: MirrorController,
  request: SetRequest,
  raw: RawMirrorOptions,
): Promise<number> {
  const durationMs = raw.for === undefined ? undefined : parseDuration('--for', raw.for, { max: LONGEST_MS });
  const isTemporary = durationMs !== undefined || raw.untilExit === true;
  if (isTemporary) requireChanging(controller);
  const change = new TemporaryChange(MIRROR);
  const signals = isTemporary || request.byConfig ? catchSignals() : undefined;
  try {
    const outcome = await setOrUndo(controller, request, beforeChange(raw, isTemporary, change), change);
    if (outcome.effect === 'planned') return showPlan(outcome, raw);
    show(outcome, raw);
    if (!isTemporary) change.keep();
    else if (outcome.effect === 'set') await hold(change, signals?.stopped, durationMs, raw);
    return 0;
  } finally {
    signals?.dispose();
  }
}

/** Warns of surprises, asks before traffic is interrupted, and writes to the journal what must be undone later. */
export function beforeChange(raw: RawMirrorOptions, isTemporary: boolean, change: TemporaryChange): BeforeChange {
  return async (preview) => {
    warn(preview.warnings);
    if (preview.unchanged) {
      if (isTemporary) warn(['it was on already: it stays on afterwards']);
      return;
    }
    if (preview.previous && !isTemporary) warn([`this takes the place of ${describeMirror(preview.previous)}`]);
    if (preview.interrupts) await confirmInterruption(describeVf(preview.source), raw.yes ?? false);
    if (isTemporary || preview.interrupts) change.begin(describeMirror(preview.mirror), preview.undo);
  };
}

/** Sets the mirror. When that fails, what was begun is undone before the error is thrown. */
export async function setOrUndo(
  controller: MirrorController,
  request: SetRequest,
  before: BeforeChange,
  change: TemporaryChange,
): Promise<SetOutcome> {
  try {
    return await controller.set(request, before);
  } catch (error) {
    await undoBegun(change);
    throw error;
  }
}

/** Undoes the change as far as possible. The journal keeps what is left. */
async function undoBegun(change: TemporaryChange): Promise<void> {
  try {
    await change.undo();
  } catch (error) {
    warn([`not undone: ${(error as Error).message}; try later: dpcap recover`]);
  }
}

async function hold(
  change: TemporaryChange,
  stopped: Promise<void> | undefined,
  durationMs: number | undefined,
  raw: RawMirrorOptions,
): Promise<void> {
  if (!raw.json) warn([durationMs === undefined ? 'until Ctrl-C' : `for ${durationText(durationMs)}, or until Ctrl-C`]);
  await waitFor(stopped, durationMs);
  try {
    const done = await change.undo();
    print(raw, { effect: 'cleared', done }, [done ?? 'nothing to clear']);
  } catch (error) {
    throw new DpcapError('ERR_MIRROR_REFUSED', `the mirror is not cleared: ${(error as Error).message}`, {
      cause: error,
      hint: 'try again with: dpcap recover',
    });
  }
}

/** Waits for a signal or for the end of the time, whichever comes first. */
async function waitFor(stopped: Promise<void> | undefined, durationMs: number | undefined): Promise<void> {
  // Something must keep the process alive even when only a signal ends it.
  const keepAlive = setInterval(() => undefined, 3_600_000);
  let end = (): void => undefined;
  const time = new Promise<void>((resolve) => {
    end = resolve;
  });
  const timer = durationMs === undefined ? undefined : startTimer(end, durationMs);
  await Promise.race([time, ...(stopped ? [stopped] : [])]);
  timer?.cancel();
  clearInterval(keepAlive);
}

function show({ effect, preview, warnings, backup }: Done, raw: RawMirrorOptions): void {
  if (!raw.json) warn(warnings);
  const { mirror, source, target, previous } = preview;
  const all = [...preview.warnings, ...warnings];
  const document = {
    effect,
    mirror,
    source,
    target,
    previous: previous ?? null,
    warnings: all,
    backup: backup ?? null,
  };
  const lines = [
    sentence(preview, effect === 'unchanged' ? 'was mirrored already' : 'is mirrored'),
    ...advice(preview).map((line) => `  ${line}`),
    ...(backup ? [`  the configuration as it was: ${backup}`] : []),
  ];
  print(raw, document, lines);
}

/** Prints the plan. A plan that was not asked for is no success. */
function showPlan(outcome: Planned, raw: RawMirrorOptions): number {
  print(raw, outcome, planLines(outcome.steps, outcome.notes));
  if (raw.via === 'plan') return 0;
  throw new DpcapError('ERR_MIRROR_ABSENT', 'nobody here can set a mirror: VFd was not found; nothing was changed', {
    hint: 'start VFd, or name its request FIFO with --fifo; the commands above do it by hand',
  });
}
