/** Has some thread of a process that is at rest call a function; tries until one is. */
import { setTimeout as sleep } from 'node:timers/promises';
import { DpcapError } from '../../errors.js';
import type { HostAddon } from '../../native/addons.js';
import { nativeError } from '../../native/errors.js';
import type { CallOutcome, InjectedCall } from '../../native/inject-binding.js';
import { isRunning } from '../../system/process.js';
import type { InjectPlan } from './judge.js';
import { name } from './judge.js';
import { controlThreads, type Thread } from './threads.js';

/** Whether somebody else has done it meanwhile. */
export type IsDone = () => boolean;

/** What is called, with what. */
export type Wanted = Pick<InjectedCall, 'function' | 'text' | 'first' | 'second' | 'explain'>;

/** What came of it, and who did it. */
export interface Called extends CallOutcome {
  thread: Thread;
}

type Addon = Pick<HostAddon, 'callInThread' | 'isRest'>;

/** A thread that does not stop within this time is given up: nothing has been done then. */
const STOP_MS = 50;
/** The loader reads a library of 200 KiB; the machine may be busy. */
const CALL_MS = 10_000;
const RETRY_MS = 20;

/**
 * Calls.
 * @param limitMs for how long a thread at rest is waited for
 * @returns undefined when there was nothing left to do
 * @throws DpcapError ERR_INJECT_REFUSED when there was none, and as InjectBinding.callInThread()
 */
export async function callSomewhere(
  { target, places }: InjectPlan,
  wanted: Wanted,
  limitMs: number,
  addon: Addon,
  isDone: IsDone = () => false,
): Promise<Called | undefined> {
  const deadline = performance.now() + limitMs;
  let last: DpcapError | undefined;
  for (;;) {
    for (const thread of restingThreads(target.pid, addon)) {
      if (!isRunning(target.pid, target.startTicks ?? 0)) throw gone(target);
      if (isDone()) return undefined;
      const call = { ...wanted, pid: target.pid, tid: thread.tid, code: places.code, report: places.report };
      const outcome = await attemptCall({ ...call, stopMs: STOP_MS, callMs: CALL_MS }, addon);
      if (!(outcome instanceof DpcapError)) return { ...outcome, thread };
      last = outcome;
    }
    if (!isRunning(target.pid, target.startTicks ?? 0)) throw gone(target);
    if (performance.now() >= deadline) throw nobodyRests(target, limitMs, last);
    await sleep(RETRY_MS);
  }
}

/** Those that may be borrowed now, the best first. */
export function restingThreads(pid: number, addon: Pick<HostAddon, 'isRest'>, procDir = '/proc'): Thread[] {
  return controlThreads(pid, procDir).filter(({ call }) => call !== undefined && addon.isRest(call));
}

/** Returns the error of what may go better the next time. */
async function attemptCall(call: InjectedCall, addon: Addon): Promise<CallOutcome | DpcapError> {
  try {
    return await addon.callInThread(call);
  } catch (thrown) {
    const error = nativeError(thrown);
    if (error.code === 'ERR_CAPTURE_BUSY') return error;
    throw error.code === 'ERR_PERMISSION' ? notLet(error) : error;
  }
}

/** A security module, or a tracer that came this very moment. */
function notLet({ message, subject, errno }: DpcapError): DpcapError {
  const hint =
    'run dpcap as root, or with CAP_SYS_PTRACE; an audit log says whether a security module (AppArmor, SELinux) refused';
  return new DpcapError('ERR_PERMISSION', message, { subject, errno, hint });
}

function gone({ pid, program }: InjectPlan['target']): DpcapError {
  const hint = 'start it again';
  return new DpcapError('ERR_PRIMARY_GONE', `${name({ program, pid })} has ended meanwhile`, { errno: 'ESRCH', hint });
}

function nobodyRests(target: InjectPlan['target'], limitMs: number, last: DpcapError | undefined): DpcapError {
  const why = last ? `: ${last.message}` : '';
  const message = `${name(target)} had no control thread of EAL at rest for ${limitMs / 1000} s${why}`;
  return new DpcapError('ERR_INJECT_REFUSED', message, { errno: 'EBUSY', hint: 'try again, with a longer --wait' });
}
