/** `dpcap agent inject` brings the agent into an application that runs. */
import { readFileSync } from 'node:fs';
import type { Command } from 'commander';
import { restingThreads } from '../../../agent/inject/call.js';
import {
  auditLine,
  doneJson,
  doneLines,
  planJson,
  planLines,
  presentLines,
  question,
} from '../../../agent/inject/describe.js';
import { examineAtRest, inject } from '../../../agent/inject/inject.js';
import { DpcapError, UsageError } from '../../../errors.js';
import { hostAddon } from '../../../native/addons.js';
import { choosePrimary } from '../../../primary/choose.js';
import { findPrimaries } from '../../../primary/discover.js';
import { systemHost } from '../../../primary/host.js';
import { currentUid, runtimeRoot } from '../../../primary/runtime-dir.js';
import { attempt } from '../../../system/process.js';
import { parseDuration } from '../../../text/duration.js';
import { parsePid } from '../../../text/pid.js';
import { confirm } from '../../confirm.js';

interface InjectOptions {
  filePrefix?: string;
  dryRun?: boolean;
  yes?: boolean;
  wait: string;
  despiteSeccomp?: boolean;
  json?: boolean;
}

const LONGEST_WAIT_MS = 600_000;
/** /proc/self/loginuid of a process that nobody logged in for. */
const NO_LOGIN = '4294967295';

export function addInject(agent: Command): void {
  agent
    .command('inject')
    .description(
      'Load the agent into an application that runs, and was not prepared for it. One sleeping control thread of EAL is ' +
        'borrowed for it; see docs/agent.md.',
    )
    .argument('[pid]', 'Process of the application.')
    .option('--file-prefix <prefix>', 'Load it into this primary, instead of a process that is given by its id.')
    .option('--dry-run', 'Print which thread would be borrowed, and what would be done; do nothing.')
    .option('--yes', 'Do not ask.')
    .option(
      '--wait <duration>',
      'Time to wait for a thread that is at rest, and for another dpcap that is at work there.',
      '2s',
    )
    .option('--despite-seccomp', 'Load it although the application has a filter of system calls.')
    .option('--json', 'Print one JSON document.')
    .action(async (pid: string | undefined, options: InjectOptions) => {
      const limitMs = parseDuration('--wait', options.wait, { max: LONGEST_WAIT_MS });
      process.stdout.write(`${await run(toTarget(pid, options.filePrefix), limitMs, options)}\n`);
    });
}

/** @throws UsageError; DpcapError as choosePrimary(), ERR_PRIMARY_ABSENT */
function toTarget(pid: string | undefined, filePrefix: string | undefined): number {
  if (pid !== undefined && filePrefix === undefined) return parsePid(pid);
  if (pid !== undefined || filePrefix === undefined) {
    throw new UsageError('give either a process id or --file-prefix', { hint: 'dpcap list shows both' });
  }
  const { pid: found } = choosePrimary(findPrimaries(runtimeRoot(), systemHost()), filePrefix);
  if (found !== undefined) return found;
  throw new DpcapError(
    'ERR_PRIMARY_ABSENT',
    `the process of ${filePrefix} is in a PID namespace that is not seen here`,
    {
      subject: filePrefix,
      hint: 'run dpcap where all processes are seen, and give the process id',
    },
  );
}

/** Returns what to print. */
async function run(pid: number, limitMs: number, options: InjectOptions): Promise<string> {
  const consent = { despiteSeccomp: options.despiteSeccomp ?? false };
  const print = (document: object, lines: readonly string[]): string =>
    options.json ? JSON.stringify(document) : lines.join('\n');
  const verdict = await examineAtRest(pid, consent, limitMs);
  if (verdict.kind === 'refused') throw verdict.error;
  if (verdict.kind === 'present') {
    const { target, agent } = verdict;
    return print({ effect: 'unchanged', pid, program: agent.hello.program }, presentLines(target, agent));
  }
  const addon = hostAddon();
  if (options.dryRun) {
    const resting = restingThreads(pid, addon);
    return print(planJson(verdict.plan, resting), planLines(verdict.plan, resting));
  }
  await confirm(question(verdict.plan), options.yes ?? false);
  addon.writeAudit(auditLine(verdict.plan, askedBy()));
  const done = await inject(verdict.plan, limitMs, addon);
  return print(doneJson(verdict.plan, done), doneLines(verdict.plan, done));
}

/** Who is at the keyboard, where the kernel has kept that; `sudo` and `su` do not change it. */
function askedBy(): string {
  const login = attempt(() => readFileSync('/proc/self/loginuid', 'utf8'))?.trim();
  const uid = `uid ${currentUid()}`;
  return login === undefined || login === NO_LOGIN ? uid : `${uid} (login ${login})`;
}
