/** `dpcap recorder on`, `off` and `env`. */
import { closeSync } from 'node:fs';
import type { AgentAt } from '../../../agent/find.js';
import { agentsOfApplication } from '../../../agent/pick.js';
import { portsOfAll } from '../../../agent/ports.js';
import { DpcapError } from '../../../errors.js';
import { hostAddon } from '../../../native/addons.js';
import { checked } from '../../../native/errors.js';
import type { RecorderOrder } from '../../../native/recorder-binding.js';
import { tooManyLanes } from '../../../recorder/report.js';
import {
  devicesOf,
  environmentWords,
  MEMORY,
  type RecorderRequest,
  recorderOrder,
  VARIABLE,
} from '../../../recorder/request.js';
import { attempt } from '../../../system/process.js';
import { printable } from '../../../text/printable.js';
import { quoted } from '../../../text/shell-word.js';
import { parseSize, roundedSize } from '../../../text/size.js';
import { checkOptions } from '../../capture-options.js';
import { type RawFilterOptions, readFilter } from '../../filter-options.js';

/** The options as commander hands them over. */
export interface RawRecorderOptions extends RawFilterOptions {
  filePrefix?: string;
  interface?: string[];
  direction?: string;
  snapshotLength?: string;
  memory?: string;
}

/** Switches a recorder on in each process of an application, or in none of them. */
export function switchOn(words: string[], raw: RawRecorderOptions): void {
  const request = readRequest(words, raw);
  const agents = agentsOfApplication(raw.filePrefix);
  const order = recorderOrder(request, devicesOf(raw.interface ?? [], portsOf(agents)));
  const share = Math.max(MEMORY.min, Math.floor(request.memory / agents.length));
  const begun: AgentAt[] = [];
  try {
    for (const agent of agents) {
      begin(agent, { ...order, memory: share });
      begun.push(agent);
    }
  } catch (error) {
    for (const { socket } of begun) attempt(() => hostAddon().recorderOff(socket)); // the first error says more
    throw error;
  }
  for (const { filePrefix, pid, socket } of begun) {
    const what = request.filter ? `packets that match: ${request.filter.expression}` : 'all packets';
    process.stderr.write(
      `dpcap: process ${pid} of ${printable(filePrefix)} records ${what}, into ${roundedSize(share)}\n`,
    );
    const lack = attempt(() => lackOf(socket)); // the recorder is on, whether or not this can be told
    if (lack !== undefined) process.stderr.write(`dpcap: process ${pid}: ${lack}\n`);
  }
}

function lackOf(socket: string): string | undefined {
  const state = hostAddon().recorderState(socket);
  if (!state) return undefined;
  try {
    return tooManyLanes(state.lanes, hostAddon().readBox(state.fd));
  } finally {
    closeSync(state.fd);
  }
}

/** Prints what stands for the same request in an application's environment. */
export function printEnvironment(words: string[], raw: RawRecorderOptions): void {
  const request = readRequest(words, raw);
  const named = (raw.interface ?? []).filter((name) => name !== 'any');
  const numbered = named.find((name) => /^\d/.test(name) && !name.includes(':'));
  if (numbered !== undefined) {
    throw new DpcapError(
      'ERR_PORT_UNKNOWN',
      `which port has the number ${numbered} is not known before the application runs`,
      {
        subject: numbered,
        hint: 'give the name of the device, such as net_tap0 or 0000:01:00.0',
      },
    );
  }
  const order = recorderOrder(request, raw.interface?.includes('any') ? [] : named);
  process.stdout.write(`${VARIABLE}=${quoted(environmentWords(order))}\n`);
}

/** Switches the recorders of an application off, and removes their boxes. */
export function switchOff({ filePrefix }: { filePrefix?: string }): void {
  const agents = agentsOfApplication(filePrefix);
  const ended = agents.filter(({ socket }) => checked(() => hostAddon().recorderOff(socket), 'agent'));
  if (ended.length === 0) {
    throw new DpcapError('ERR_RECORDER_ABSENT', 'no recorder is on there', {
      subject: agents[0]?.filePrefix,
      hint: 'boxes of dead processes are removed with: dpcap recover --box FILE',
    });
  }
  for (const { pid } of ended)
    process.stderr.write(`dpcap: process ${pid} records no more, and its black box is gone\n`);
}

function readRequest(words: string[], raw: RawRecorderOptions): RecorderRequest {
  const { direction, snapshotLength } = raw;
  const { directions, snaplen } = checkOptions({
    ...(direction === undefined ? {} : { direction }),
    ...(snapshotLength === undefined ? {} : { snapshotLength }),
  });
  const memory = raw.memory === undefined ? MEMORY.default : parseSize('--memory', raw.memory, MEMORY);
  return { memory, snaplen, directions, filter: readFilter(words, raw) };
}

function portsOf(agents: readonly AgentAt[]): ReturnType<typeof portsOfAll> {
  return portsOfAll(agents.map(({ socket }) => checked(() => hostAddon().agentHello(socket), 'agent')));
}

/** @throws DpcapError with a hint that fits a recorder */
function begin({ socket, pid }: AgentAt, order: RecorderOrder): void {
  try {
    checked(() => hostAddon().recorderOn(socket, order), 'agent');
  } catch (error) {
    if (!(error instanceof DpcapError)) throw error;
    const hint = HINTS[error.code] ?? error.hint;
    throw new DpcapError(error.code, `process ${pid}: ${error.message}`, { ...error, hint, cause: error });
  }
}

const HINTS: Partial<Record<string, string>> = {
  ERR_NO_MEMORY: 'ask for less with --memory, or remove boxes of dead processes: dpcap recorder status names them',
  ERR_CAPTURE_BUSY: 'save it, and switch it off: dpcap recorder off',
  ERR_RECORDER_FILE: 'save them, and remove them with: dpcap recover --box FILE',
  ERR_PERMISSION: 'have that user, or root, remove the folder dpcap_recorder_UID in /dev/shm',
  ERR_VERSION_MISMATCH: 'restart the application with the agent of this dpcap',
};
