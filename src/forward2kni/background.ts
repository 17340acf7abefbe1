/** Forwarders in the background: starts them detached, finds them and ends them. */
import { once } from 'node:events';
import { closeSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';
import { DpcapError } from '../errors.js';
import { spawnNode } from '../system/own-process.js';
import { isRunning } from '../system/process.js';
import type { ForwarderState, ForwarderStates } from './state.js';

/** How long a forwarder may take to end in order: disable, quiesce, drain. */
const END_LIMIT_MS = 15_000;
const LOOK_MS = 50;

/** Options that a background forwarder does not get. Its statistics go nowhere: the state file has them. */
const NOT_IN_THE_BACKGROUND = ['--detach', '--json'];

/** The port that a forwarder is for. */
export interface ForwarderPort {
  filePrefix: string;
  id: number;
}

/**
 * Starts a command line of dpcap again, without `--detach`, in a session of its own, and waits until it forwards. Its
 * messages go to a log file next to its state file.
 * @param argv the script and its arguments
 * @throws DpcapError with the message of the forwarder when it ends instead
 */
export async function startDetached(
  port: ForwarderPort,
  states: ForwarderStates,
  argv: readonly string[] = process.argv.slice(1),
): Promise<ForwarderState> {
  const log = states.beginLog(port.filePrefix, port.id);
  const args = argv.filter((word) => !NOT_IN_THE_BACKGROUND.includes(word));
  const child = spawnNode(args, { detached: true, stdio: ['ignore', 'ignore', log] });
  closeSync(log);
  const ended = once(child, 'exit').then(() => true);
  while (true) {
    const state = states.running().find((one) => one.pid === child.pid);
    if (state) {
      child.unref();
      return state;
    }
    if (await Promise.race([ended, sleep(LOOK_MS, false)])) {
      throw didNotStart(readFileSync(states.logPath(port.filePrefix, port.id), 'utf8'));
    }
  }
}

/** Reads the message and the hint in the form in which main.ts prints them. */
function didNotStart(words: string): DpcapError {
  const [, message, hint] = /^dpcap: (.*)(?:\n {2}(.*))?\n$/m.exec(words) ?? [];
  return new DpcapError('ERR_ENGINE_DIED', `the forwarder did not start: ${message ?? words.trim()}`, { hint });
}

/**
 * Ends a forwarder and waits until it is gone, together with its interface.
 * @throws DpcapError when it does not end
 */
export async function endForwarder(state: ForwarderState, limitMs = END_LIMIT_MS): Promise<void> {
  const runs = (): boolean => isRunning(state.pid, state.startTicks);
  if (runs()) process.kill(state.pid, 'SIGTERM');
  for (const deadline = performance.now() + limitMs; runs(); await sleep(LOOK_MS)) {
    if (performance.now() < deadline) continue;
    throw new DpcapError(
      'ERR_DISABLE_FAILED',
      `the forwarder of port ${state.port.name} (pid ${state.pid}) does not end`,
      { subject: state.port.name, hint: `kill -9 ${state.pid}, then run: dpcap recover` },
    );
  }
}

/** The running forwarder of a port given by id or name, if there is one. */
export function findForwarder(
  states: readonly ForwarderState[],
  port: string,
  filePrefix: string,
): ForwarderState | undefined {
  return states.find(
    (one) => one.filePrefix === filePrefix && (String(one.port.id) === port || one.port.name === port),
  );
}
