/** `dpcap mirror clear` switches off one mirror, or all. */
import { asDpcapError, DpcapError, UsageError } from '../../../errors.js';
import type { ClearOptions, ClearOutcome, MirrorController, SourceSelector } from '../../../mirror/controller.js';
import { planLines } from '../../../mirror/describe.js';
import { describeVf } from '../../../mirror/resolve.js';
import { parseSource } from '../../../mirror/target-spec.js';
import { describeMirror, MIRROR } from '../../../mirror/undo.js';
import { warn } from '../../../mirror/warn.js';
import { TemporaryChange } from '../../../watchdog/temporary-change.js';
import { confirmInterruption } from './confirm.js';
import { needVf, print, type RawMirrorOptions } from './options.js';

export async function clearMirrors(controller: MirrorController, raw: RawMirrorOptions): Promise<void> {
  if (raw.all && (raw.vf !== undefined || raw.pf !== undefined)) {
    throw new UsageError('--all with --pf or --vf', { hint: 'use one of them' });
  }
  if (raw.all) return clearAll(controller, raw);
  const outcome = await clearOne(controller, parseSource(raw.pf, needVf(raw)), raw);
  if (!raw.json) warn(warningsOf(outcome));
  print(raw, outcome, clearLines(outcome));
}

async function clearAll(controller: MirrorController, raw: RawMirrorOptions): Promise<void> {
  const outcomes: ClearOutcome[] = [];
  const failures: DpcapError[] = [];
  for (const { pf, vf } of await controller.list()) {
    const source: SourceSelector = { pf: { kind: 'number', number: pf }, vf: { kind: 'number', number: vf } };
    try {
      outcomes.push(await clearOne(controller, source, raw));
    } catch (error) {
      failures.push(asDpcapError(error));
    }
  }
  if (!raw.json) warn(outcomes.flatMap(warningsOf));
  const lines = outcomes.flatMap(clearLines);
  print(
    raw,
    { cleared: outcomes, failed: failures.map((one) => one.toJSON()) },
    lines.length > 0 ? lines : ['no mirror was on'],
  );
  if (failures.length === 0) return;
  const why = failures.map(({ message }) => message).join('; ');
  throw new DpcapError('ERR_MIRROR_REFUSED', `${failures.length} not cleared: ${why}`, {
    hint: 'look at what is on: dpcap mirror list',
  });
}

async function clearOne(
  controller: MirrorController,
  source: SourceSelector,
  raw: RawMirrorOptions,
): Promise<ClearOutcome> {
  const change = new TemporaryChange(MIRROR);
  const options: ClearOptions = { byConfig: raw.byConfig ?? false };
  if (options.byConfig) {
    options.before = async (undo, mirror) => {
      await confirmInterruption(describeVf(mirror), raw.yes ?? false);
      change.begin(`clearing ${describeMirror(mirror)}`, undo);
    };
  }
  try {
    const outcome = await controller.clear(source, options);
    change.keep();
    return outcome;
  } catch (error) {
    // The controller has rolled back. What is still not undone after this is left to `dpcap recover`.
    await change.undo().catch((failure: Error) => warn([`not undone: ${failure.message}`]));
    throw error;
  }
}

function warningsOf(outcome: ClearOutcome): string[] {
  return outcome.effect === 'planned' ? [] : outcome.warnings;
}

function clearLines(outcome: ClearOutcome): string[] {
  if (outcome.effect === 'planned') return planLines(outcome.steps, outcome.notes);
  if (!outcome.was) return [`${describeVf(outcome.source)} was not mirrored`];
  const backup = outcome.backup === undefined ? [] : [`  the configuration as it was: ${outcome.backup}`];
  return [`cleared ${describeMirror(outcome.was)}`, ...backup];
}
