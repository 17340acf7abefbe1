/** What would be done, and what was done, for people, for programs, and for the logs. */
import { dirname } from 'node:path';
import { runtimeEnvironment, runtimeRoot } from '../../primary/runtime-dir.js';
import { printable } from '../../text/printable.js';
import { shellWord } from '../../text/shell-word.js';
import type { Target } from './facts.js';
import type { Injected } from './inject.js';
import { type InjectPlan, name } from './judge.js';
import type { AgentOf } from './sockets.js';
import type { Thread } from './threads.js';

const DELIVERIES = {
  path: 'by its path',
  memfd: "as a file in memory that the process makes: it is another user's, or has other files than dpcap",
} as const;

/** The lines of a dry run. `resting`: the threads that would be borrowed now, the first one first. */
export function planLines({ target, library, delivery, places }: InjectPlan, resting: readonly Thread[]): string[] {
  const [thread] = resting;
  const who = thread
    ? `${printable(thread.name)} (thread ${thread.tid}), at rest now`
    : 'none is at rest now: one would be waited for';
  return [
    `${name(target)} would get ${library}, ${DELIVERIES[delivery]}`,
    `  thread to borrow: ${who}`,
    `  code for it:      ${hex(places.code)}, behind the code of a library, taken out again`,
    `  what it calls:    dlopen at ${hex(places.functions.dlopen)}`,
    '  what stays:       the library and its thread dpcap-agent, until the process ends',
  ];
}

/** The dry run, for programs. */
export function planJson({ target, library, delivery, places }: InjectPlan, resting: readonly Thread[]): object {
  return {
    effect: 'planned',
    pid: target.pid,
    program: target.program,
    library,
    delivery,
    thread: resting[0] ? { tid: resting[0].tid, name: resting[0].name } : null,
    code: hex(places.code),
  };
}

/** The question, and the note of `--yes`. */
export function question({ target }: InjectPlan): string {
  return `this loads dpcap's agent into ${name(target)}, where it stays until that ends`;
}

/** The line for the system's log, written before anything is done. */
export function auditLine({ target, library, delivery }: InjectPlan, who: string): string {
  return `loads ${library} (${delivery}) into ${printable(target.program)}, pid ${target.pid}, uid ${target.uids[0]}, for ${who}`;
}

/** What was done. */
export function doneLines({ target }: InjectPlan, { socket, calls }: Injected): string[] {
  const held = calls
    .map(({ thread, heldUs }) => `${printable(thread.name)} for ${(heldUs / 1000).toFixed(2)} ms`)
    .join(', ');
  return [`the agent answers in ${name(target)}; held up: ${held}`, captureLine(target, socket)];
}

/** That there is nothing to do. */
export function presentLines(target: Target, { socket }: AgentOf): string[] {
  return [`the agent is in ${name(target)} already, and answers`, captureLine(target, socket)];
}

function captureLine(target: Target, socket: string): string {
  return `  capture${target.sharesFiles ? '' : ' there'}: ${captureCommand(target, socket)}`;
}

/** The command that captures through the agent of a process, wherever that is. */
export function captureCommand({ pid, sharesFiles }: Pick<Target, 'pid' | 'sharesFiles'>, socket: string): string {
  if (!sharesFiles) return `nsenter --target ${pid} --mount --pid dpcap -i any`;
  return `${environment(socket)}dpcap --file-prefix ${shellWord(prefixOf(socket))} -i any`;
}

/** The same, for programs. */
export function doneJson({ target, library, delivery }: InjectPlan, { socket, calls }: Injected): object {
  return {
    effect: 'injected',
    pid: target.pid,
    program: target.program,
    library,
    delivery,
    file_prefix: prefixOf(socket),
    socket,
    calls: calls.map(({ thread, heldUs }) => ({ thread: thread.name, tid: thread.tid, held_us: heldUs })),
  };
}

/** What dpcap needs to look where the agent is, if that is not where it looks anyway. */
function environment(socket: string): string {
  if (dirname(dirname(socket)) === runtimeRoot()) return '';
  return Object.entries(runtimeEnvironment(dirname(socket)))
    .map(([name, value]) => `${name}=${shellWord(value)} `)
    .join('');
}

function prefixOf(socket: string): string {
  return socket.split('/').at(-2) ?? '';
}

function hex(address: bigint): string {
  return `0x${address.toString(16)}`;
}
