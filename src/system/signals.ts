/**
 * What signals mean to our processes. Imported first by each of them: what has a meaning to node, and not to us, is taken
 * as soon as JavaScript runs.
 */
import { constants } from 'node:os';

/**
 * Which signals were ignored when dpcap was started, as SigIgn of /proc/PID/status has it: a hexadecimal mask. bin/dpcap
 * sets it, because node (20 and 22, PlatformInit in src/node.cc) has them all at their default before our code runs.
 */
const IGNORED_VARIABLE = 'DPCAP_IGNORED_SIGNALS';

/**
 * Those that may have been set to be ignored; each of them would otherwise end or stop a process. Not SIGTTIN and SIGTTOU:
 * what they interrupt is begun again when they have a listener, for ever.
 */
const IGNORABLE = ['SIGHUP', 'SIGQUIT', 'SIGTERM', 'SIGALRM', 'SIGTSTP'] as const;

/** Node opens its debugger on SIGUSR1; the default of SIGUSR2 is the end. */
const TAKEN = ['SIGUSR1', 'SIGUSR2'] as const;

const ENDING = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
export type EndingSignal = (typeof ENDING)[number];

/**
 * Signals that end a job in order. One that was set to be ignored does not, like SIGHUP under nohup. SIGINT always does,
 * as with tcpdump: a shell without job control sets it to be ignored for all it starts with `&`, and a script ends its
 * captures with `kill -INT`.
 */
export function endingSignals(mask: string | undefined = process.env[IGNORED_VARIABLE]): EndingSignal[] {
  return ENDING.filter((signal) => signal === 'SIGINT' || !isIgnored(signal, mask));
}

/** Whether a signal is in a mask; bit 0 is signal 1. */
export function isIgnored(signal: NodeJS.Signals, mask: string | undefined): boolean {
  if (mask === undefined || !/^[0-9a-f]{1,16}$/.test(mask)) return false;
  return ((BigInt(`0x${mask}`) >> BigInt(constants.signals[signal] - 1)) & 1n) === 1n;
}

/** Calls `listener` with each such signal until the function that is returned is called. */
export function onSignal(signal: NodeJS.Signals, listener: () => void): () => void {
  process.on(signal, listener);
  return () => process.off(signal, listener);
}

/** The same for each signal that ends a job in order. */
export function onEndingSignal(listener: () => void): () => void {
  const forget = endingSignals().map((signal) => onSignal(signal, listener));
  return () => {
    for (const forgetOne of forget) forgetOne();
  };
}

let isOver = false;

/**
 * The job has ended: a signal that would have ended it comes too late, and must not take the place of the exit code. To be
 * called before the job's own listeners go.
 */
export function ignoreEndingSignals(): void {
  if (isOver) return;
  isOver = true;
  for (const signal of ENDING) process.on(signal, () => {});
}

/** From here on none of them ends this process, or opens anything. Listeners that do something may be added. */
function takeSignals(): void {
  const ignored = IGNORABLE.filter((signal) => isIgnored(signal, process.env[IGNORED_VARIABLE]));
  for (const signal of [...TAKEN, ...ignored]) process.on(signal, () => {});
}

takeSignals();
