/** Says in words, and as documents, what NICs mirror. Pure. */
import type { FlowDestination, FlowEnd, FlowStatus } from '../../native/flow-binding.js';
import { describePort } from '../../protocol/lanes.js';
import { printable } from '../../text/printable.js';
import { idText } from '../agent/describe.js';
import { frameOf, type ResolvedFlow } from './request.js';
import { ruleLine, sampleLine } from './testpmd.js';

const ENDS: Record<FlowEnd, string> = {
  cleared: 'it was cleared',
  'lease-over': 'its lease ran out: nothing was heard of its owner',
  'port-stopped': 'the port that had the rules was stopped, and its driver has taken them away',
  'other-port-stopped': 'a port of its was stopped or removed',
};

/** Why a mirror in hardware has ended, as part of a sentence. */
export function flowEndText(reason: FlowEnd): string {
  return ENDS[reason];
}

/** The rules as testpmd's prompt takes them. */
export function ruleLines(flow: ResolvedFlow, verb: 'create' | 'validate' = 'create'): string[] {
  const frame = frameOf(flow);
  return [sampleLine(frame), ...flow.patterns.map((one) => ruleLine(verb, frame, one))];
}

/** `matched 300 packets, 19200 bytes`; that nobody counts is said. */
export function flowCountersText({ counts, counters }: FlowStatus): string {
  if (counters) return `matched ${counters.packets} packets, ${counters.bytes} bytes`;
  return counts ? 'the driver tells no figures' : 'not counted (--count)';
}

/** `port 0 (0000:03:00.0) in hardware to port 2 (...)`. */
export function flowPathText(one: FlowStatus): string {
  const source = describePort({ id: one.sourcePort, name: one.sourceDevice });
  const share = one.ratio === 1 ? '' : `, one packet in ${one.ratio}`;
  return `port ${source} in hardware to ${placeText(one.copy)}${share}`;
}

function placeText({ kind, value, device }: FlowDestination): string {
  return kind === 'port' ? `port ${describePort({ id: value, name: device })}` : `receive queue ${value}`;
}

/** What becomes of the originals: it must be said wherever the mirror is shown. */
export function fateText({ fate }: { fate: FlowDestination }): string {
  if (fate.kind === 'drop') return 'the originals are DROPPED';
  if (fate.kind === 'jump') return `the originals go on with the rules of group ${fate.value}`;
  return `the originals go to ${placeText(fate)}`;
}

/** A mirror in three lines. */
export function flowLines(one: FlowStatus): string[] {
  const state =
    one.state === 'on'
      ? `on, of process ${one.ownerPid}, ends in ${one.leaseLeftSeconds} s unless it is renewed`
      : `${one.state}: ${flowEndText(one.reason ?? 'cleared')}`;
  const rules = `${one.rules} ${one.isTransfer ? 'transfer' : 'ingress'} rule${one.rules === 1 ? '' : 's'}`;
  return [
    `mirror ${idText(one.id)}: ${flowPathText(one)}; ${fateText(one)}; ${state}`,
    `  ${rules} at port ${one.proxyPort}: ${one.text}`,
    `  ${flowCountersText(one)}`,
  ].map(printable);
}

/** The document of a mirror. */
export function flowJson(one: FlowStatus): Record<string, unknown> {
  const { id, ownerPid, ownerStartTicks, counters, ...rest } = one;
  return {
    ...rest,
    id: idText(id),
    isHardware: true,
    owner: { pid: ownerPid, startTicks: ownerStartTicks },
    counters: counters && { packets: Number(counters.packets), bytes: Number(counters.bytes) },
  };
}
