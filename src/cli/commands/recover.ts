/** `dpcap recover` undoes what dead dpcap processes left, in primaries and elsewhere. */

import { isDpvs } from '../../dpvs/identify.js';
import {
  type Capturability,
  type Inspection,
  inspect,
  type PrimaryFacts,
  requireCapturable,
} from '../../primary/capturable.js';
import { choosePrimary } from '../../primary/choose.js';
import { findPrimaries, isForeign, type Primary } from '../../primary/discover.js';
import { systemHost } from '../../primary/host.js';
import { dpdkOf } from '../../primary/pick.js';
import { runtimeRoot } from '../../primary/runtime-dir.js';
import { staleCaptures } from '../../primary/stale-captures.js';
import type { RecoverReport } from '../../protocol/messages.js';
import { removeBox } from '../../recorder/remove.js';
import { runRecovery } from '../../supervisor/recovery-run.js';
import { Journal } from '../../system/journal.js';
import { createLogger } from '../../system/log.js';
import { catchSignals } from '../../system/signals.js';
import { roundedSize } from '../../text/size.js';
import { recoveredKind } from '../../watchdog/undoers.js';
import type { RegisterCommand } from '../command.js';
import { addLibrariesOption } from '../libraries-option.js';

export const registerRecover: RegisterCommand = (program, context) => {
  addLibrariesOption(program.command('recover'))
    .description('Clear from primaries what dead captures of dpcap left.')
    .option('--file-prefix <prefix>', 'Clear this primary only. Default: all that run.')
    .option('--json', 'Print one JSON document.')
    .option('--box <file>', 'Remove this black box of a recorder that has ended, and nothing else.')
    .action(async (options: { filePrefix?: string; json?: boolean; box?: string }) => {
      if (options.box !== undefined) return printRemoved(options.box, removeBox(options.box), options.json);
      const undone = await undoJournal(new Journal()); // comes first: it needs neither a primary nor the addon
      if (!options.json) for (const { text } of undone) process.stdout.write(`${text}\n`);
      const reports = [];
      const stopped = new AbortController();
      const signals = catchSignals();
      void signals.stopped.then(() => stopped.abort());
      for (const { primary, libraries, skipped } of primariesToClear(options.filePrefix)) {
        if (stopped.signal.aborted) break;
        const { filePrefix, runtimeDir, pid } = primary;
        if (skipped) {
          reports.push({ filePrefix, ...NOTHING, ...skipped });
          continue;
        }
        const log = createLogger('warn', 'recover');
        const clear = async (): Promise<RecoverReport> => {
          const target = {
            filePrefix,
            runtimeDir,
            primaryPid: pid,
            primaryStartTicks: primary.process?.startTicks,
            dpdk: dpdkOf(primary, libraries),
            isDpvs: isDpvs(primary),
          };
          return runRecovery(target, log, { signal: stopped.signal });
        };
        const report = await clear().catch(failedReport);
        reports.push({ filePrefix, ...report });
      }
      signals.dispose();
      const text = options.json
        ? JSON.stringify({ journal: undone, primaries: reports })
        : reports.flatMap(lines).join('\n');
      const nothing = undone.length > 0 ? '' : 'no primary is running: nothing to clear\n';
      process.stdout.write(text ? `${text}\n` : nothing);
      const inDoubt = reports.some((report) => report.inDoubt.length > 0);
      if (inDoubt || undone.some(({ isUndone }) => !isUndone)) context.exitCode = 1;
    });
};

function printRemoved(path: string, bytes: number, json: boolean | undefined): void {
  const text = json ? JSON.stringify({ boxes: [{ path, bytes }] }) : `removed ${path}, ${roundedSize(bytes)}`;
  process.stdout.write(`${text}\n`);
}

/** A primary that cannot be joined must not keep the others from being cleared. */
function failedReport(error: unknown): RecoverReport {
  return { cleared: [], inDoubt: [{ name: 'it', lanes: [(error as Error).message] }], running: [] };
}

/** The outcome of undoing a journal entry. */
interface Undone {
  text: string;
  isUndone: boolean;
}

/** Undoes what dead processes had switched on outside of primaries. */
export async function undoJournal(journal: Journal): Promise<Undone[]> {
  const all: Undone[] = [];
  for (const open of journal.orphans()) {
    const { entry } = open;
    const change = recoveredKind(entry.kind);
    try {
      if (!change) throw new Error(`this version does not know how to undo ${entry.kind}`);
      all.push({ text: await change.undo(open), isUndone: true });
      open.close();
    } catch (error) {
      all.push({ text: `could not undo ${entry.subject}: ${(error as Error).message}`, isUndone: false });
    }
  }
  for (const { path, why } of journal.refused()) all.push({ text: `left ${path} alone: ${why}`, isUndone: false });
  return all;
}

/** A primary to clear, or why it is skipped. */
interface ToClear extends Pick<Inspection, 'libraries'> {
  primary: Primary;
  skipped: Skipped | undefined;
}

function primariesToClear(prefix: string | undefined): ToClear[] {
  const host = systemHost();
  const all = findPrimaries(runtimeRoot(), host);
  const mayJoin = (one: Primary): boolean => one.state === 'running' && !isForeign(one);
  const wanted = prefix === undefined ? all.filter(mayJoin) : [choosePrimary(all, prefix)];
  return wanted.map((primary) => {
    const seen = inspect(primary, host);
    if (prefix !== undefined && seen.facts.memzones === undefined) requireCapturable(primary, seen.capturability);
    return { primary, libraries: seen.libraries, skipped: whySkipped(primary, seen) };
  });
}

/** Why a primary is not joined, and whether dpcap may have left something in it all the same. */
type Skipped = Pick<RecoverReport, 'inDoubt'> & { skipped?: string };

const NOTHING: RecoverReport = { cleared: [], inDoubt: [], running: [] };

/**
 * Tells why a primary is skipped. This dpcap cannot have captured a primary that it cannot join; the names of the
 * primary's memory zones tell whether another build of dpcap has left something. Pure.
 */
export function whySkipped(
  primary: Primary,
  { facts, capturability }: { facts: Pick<PrimaryFacts, 'memzones'>; capturability: Capturability },
): Skipped | undefined {
  const [reason] = capturability.reasons;
  if (capturability.verdict !== 'no' || !reason) return undefined;
  // A primary that does not answer now is tried all the same: the error names the process that has to go on.
  if (reason.code === 'ERR_PRIMARY_STOPPED' || reason.code === 'ERR_SECONDARY_STOPPED') return undefined;
  if (facts.memzones === undefined) return { inDoubt: [], skipped: `not looked at: ${reason.message}` };
  const stale = staleCaptures(facts.memzones);
  if (stale.length === 0) return { inDoubt: [], skipped: `nothing to clear: ${reason.message}` };
  const lanes = [`it cannot be joined by this dpcap (${reason.message}): use recover of the one that made it`];
  return { inDoubt: stale.map(({ pid }) => ({ name: `a capture of pid ${pid} in ${primary.filePrefix}`, lanes })) };
}

function lines(report: RecoverReport & { filePrefix: string; skipped?: string }): string[] {
  const { filePrefix, cleared, inDoubt, running, skipped } = report;
  const all = [
    ...(skipped === undefined ? [] : [skipped]),
    ...cleared.map((one) => `cleared a capture of pid ${one.pid}, ${one.lanes} queues still enabled: ${one.purpose}`),
    ...inDoubt.map((one) => `left ${one.name} alone, it may still be in use: ${one.lanes.join(', ')}; try again later`),
    ...running.map((one) => `left a running capture alone, pid ${one.pid}: ${one.purpose}`),
  ];
  return (all.length > 0 ? all : ['nothing to clear']).map((line) => `${filePrefix}: ${line}`);
}
