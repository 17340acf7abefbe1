/** Forwarders in the background: started detached, asked for their state, ended. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import { DpcapError } from '../errors.js';
import { readProcess } from '../primary/process.js';
import { type ForwarderState, ForwarderStates } from './state.js';

/** How long a forwarder may take to end in order: disable, quiesce, drain. */
const END_LIMIT_MS = 15_000;

/**
 * Starts this very command line again, without `--detach`, in a session of its own, and waits until it forwards.
 * @returns its state
 * @throws DpcapError with the words of the forwarder when it ends instead
 */
export async function startDetached(states = new ForwarderStates()): Promise<ForwarderState> {
  const args = process.argv.slice(1).filter((word) => word !== '--detach');
  const child = spawn(process.execPath, args, { detached: true, stdio: ['ignore', 'ignore', 'pipe'] });
  let words = '';
  child.stderr?.on('data', (text: Buffer) => {
    words += text.toString();
  });
  const ended = once(child, 'exit').then(() => true);
  while (true) {
    const state = states.running().find((one) => one.pid === child.pid);
    if (state) {
      child.stderr?.destroy();
      child.unref();
      return state;
    }
    if (await Promise.race([ended, sleep(50, false)])) {
      throw new DpcapError('ERR_ENGINE_DIED', `the forwarder did not start: ${words.trim().replace(/^dpcap: /, '')}`);
    }
  }
}

/**
 * Ends a forwarder and waits until it is gone, and its interface with it.
 * @throws DpcapError when it does not end
 */
export async function endForwarder(state: ForwarderState): Promise<void> {
  const isRunning = (): boolean => readProcess(state.pid)?.startTicks === state.startTicks;
  if (isRunning()) process.kill(state.pid, 'SIGTERM');
  for (const deadline = Date.now() + END_LIMIT_MS; isRunning(); await sleep(50)) {
    if (Date.now() < deadline) continue;
    throw new DpcapError(
      'ERR_DISABLE_FAILED',
      `the forwarder of port ${state.port.name} (pid ${state.pid}) does not end`,
      {
        subject: state.port.name,
        hint: `kill ${state.pid}, then run: dpcap recover`,
      },
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
