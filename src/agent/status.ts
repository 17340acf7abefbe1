/** What agents say of themselves, for people and for programs. */
import { closeSync } from 'node:fs';
import { DpcapError } from '../errors.js';
import { type HostAddon, hostAddon } from '../native/addons.js';
import type { AgentCapture, AgentHello } from '../native/agent-binding.js';
import { checked } from '../native/errors.js';
import type { RecorderState } from '../native/recorder-binding.js';
import { alignRows } from '../text/table.js';
import type { AgentAt } from './find.js';

interface Answer {
  hello: AgentHello;
  captures: AgentCapture[];
  /** The recorder's black box, as the application sees it, and how many queues it records; undefined when it is off. */
  recorder: Pick<RecorderState, 'path' | 'lanes'> | undefined;
}

/** An agent, and its answer or why there is none. */
export interface AgentStatus {
  at: AgentAt;
  answer: Answer | DpcapError;
}

type Asked = Pick<HostAddon, 'agentHello' | 'agentCaptures' | 'recorderState'>;

/** Asks each of them. */
export function askAgents(agents: readonly AgentAt[], addon: Asked = hostAddon()): AgentStatus[] {
  return agents.map((at) => {
    try {
      return { at, answer: checked(() => ask(at.socket, addon), 'agent') };
    } catch (error) {
      if (error instanceof DpcapError) return { at, answer: error };
      throw error;
    }
  });
}

function ask(socket: string, addon: Asked): Answer {
  const [hello, captures, state] = [addon.agentHello(socket), addon.agentCaptures(socket), addon.recorderState(socket)];
  if (state) closeSync(state.fd);
  return { hello, captures, recorder: state };
}

export function answers({ answer }: AgentStatus): boolean {
  return !(answer instanceof DpcapError);
}

/** A table, a line each. */
export function formatAgents(agents: readonly AgentStatus[]): string {
  const head = ['PREFIX', 'PID', 'PROGRAM', 'DPDK', 'PORTS', 'FILTERS', 'CAPTURES', 'RECORDER', 'STATE'];
  return alignRows([head, ...agents.map(row)]).join('\n');
}

function row({ at: { filePrefix, pid, process: info }, answer }: AgentStatus): string[] {
  const about = [filePrefix, String(pid), info.program ?? '-'];
  if (answer instanceof DpcapError) return [...about, '-', '-', '-', '-', '-', answer.message];
  const { hello, captures, recorder } = answer;
  const ports = hello.ports.map(({ id, name }) => `${id} (${name})`).join(', ');
  return [
    ...about,
    hello.dpdkVersion,
    ports || 'none',
    hello.filters,
    captures.map(captureText).join(', ') || 'none',
    recorder ? 'on' : 'off',
    hello.isInjected ? 'answers, injected' : 'answers',
  ];
}

function captureText({ clientPid, state }: AgentCapture): string {
  return `${clientPid > 0 ? `pid ${clientPid}` : 'unseen'}${state === 'capturing' ? '' : ` (${state})`}`;
}

/** The document of `--json`. */
export function agentsJson(agents: readonly AgentStatus[]): unknown {
  return { agents: agents.map(agentJson) };
}

function agentJson({ at, answer }: AgentStatus): unknown {
  const about = { file_prefix: at.filePrefix, pid: at.pid, program: at.process.program ?? null, socket: at.socket };
  if (answer instanceof DpcapError) return { ...about, answers: false, ...answer.toJSON() };
  const { hello, captures, recorder } = answer;
  return {
    ...about,
    answers: true,
    process_type: hello.isPrimary ? 'primary' : 'secondary',
    dpdk_version: hello.dpdkVersion,
    filters: hello.filters,
    injected: hello.isInjected,
    ports: hello.ports.map(({ id, name, driver, mac, mtu, rxQueues, txQueues, linkMbps }) => ({
      ...{ id, name, driver, mac, mtu },
      rx_queues: rxQueues,
      tx_queues: txQueues,
      link_mbps: linkMbps,
    })),
    recorder: recorder ? { box: recorder.path, lanes: recorder.lanes } : null,
    captures: captures.map(({ clientPid, state, lanes, memoryBytes, accepted }) => ({
      client_pid: clientPid,
      state,
      lanes,
      memory_bytes: memoryBytes,
      accepted: Number(accepted),
    })),
  };
}
