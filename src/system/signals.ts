/**
 * Decides what signals mean to dpcap's processes. Each of them imports this file first: signals that mean something to
 * node, and nothing to dpcap, are taken as soon as JavaScript is executed.
 */
import { constants } from 'node:os';

/**
 * The environment variable that tells which signals were ignored when dpcap was started: a hexadecimal mask, like
 * SigIgn of /proc/PID/status. bin/dpcap sets it, because node (20 and 22, PlatformInit in src/node.cc) sets all signals
 * to their default before dpcap's code is executed.
 */
const IGNORED_VARIABLE = 'DPCAP_IGNORED_SIGNALS';

/**
 * Signals that may have been set to be ignored; each of them would otherwise end or stop a process. SIGTTIN and SIGTTOU
 * are left out: with a listener, the call that they interrupt is begun again, for ever.
 */
const IGNORABLE = ['SIGHUP', 'SIGQUIT', 'SIGTERM', 'SIGALRM', 'SIGTSTP'] as const;

/** Signals that are always taken: node opens its debugger on SIGUSR1, and SIGUSR2 ends a process by default. */
const TAKEN = ['SIGUSR1', 'SIGUSR2'] as const;

const ENDING = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
export type EndingSignal = (typeof ENDING)[number];

/**
 * Signals that end a job in order. One that was set to be ignored does not, like SIGHUP under nohup. SIGINT always
 * does, as with tcpdump: a shell without job control sets it to be ignored for all commands that it starts with `&`,
 * and a script ends its captures with `kill -INT`.
 */
export function endingSignals(mask: string | undefined = process.env[IGNORED_VARIABLE]): EndingSignal[] {
  return ENDING.filter((signal) => signal === 'SIGINT' || !isIgnored(signal, mask));
}

/** Whether a signal is in a mask; bit 0 is signal 1. */
export function isIgnored(signal: NodeJS.Signals, mask: string | undefined): boolean {
  if (mask === undefined || !/^[0-9a-f]{1,16}$/.test(mask)) return false;
  return ((BigInt(`0x${mask}`) >> BigInt(constants.signals[signal] - 1)) & 1n) === 1n;
}

/** Calls `listener` each time `signal` comes, until the returned function is called. */
export function onSignal(signal: NodeJS.Signals, listener: (signal: NodeJS.Signals) => void): () => void {
  process.on(signal, listener);
  return () => process.off(signal, listener);
}

/** The same for each signal that ends a job in order. */
export function onEndingSignal(listener: (signal: NodeJS.Signals) => void): () => void {
  const forget = endingSignals().map((signal) => onSignal(signal, listener));
  return () => {
    for (const forgetOne of forget) forgetOne();
  };
}

export interface CaughtSignals {
  /** Resolves with the first signal. */
  stopped: Promise<void>;
  isStopped(): boolean;
  dispose(): void;
}

/** Until `dispose` is called, signals do not end the process, so that what was changed can be undone first. */
export function catchSignals(): CaughtSignals {
  let resolveStopped: () => void = () => undefined;
  let isStopped = false;
  const stopped = new Promise<void>((resolve) => {
    resolveStopped = resolve;
  });
  const dispose = onEndingSignal(() => {
    isStopped = true;
    resolveStopped();
  });
  return { stopped, isStopped: () => isStopped, dispose };
}

let isOver = false;

/**
 * To be called when the job has ended, before the job's own listeners are removed: a signal that would have ended the
 * job comes too late, and must not change the exit code.
 */
export function ignoreEndingSignals(): void {
  if (isOver) return;
  isOver = true;
  for (const signal of ENDING) process.on(signal, () => {});
}

/** From here on none of these signals ends this process or opens the debugger. Other listeners may be added. */
function takeSignals(): void {
  const ignored = IGNORABLE.filter((signal) => isIgnored(signal, process.env[IGNORED_VARIABLE]));
  for (const signal of [...TAKEN, ...ignored]) process.on(signal, () => {});
}

takeSignals();
