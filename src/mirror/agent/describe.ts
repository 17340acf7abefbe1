/** Says in words, and as documents, what agents mirror. Pure. */
import type { MirrorCounters, MirrorEnd, MirrorStatus } from '../../native/mirror-binding.js';
import { describePort } from '../../protocol/lanes.js';
import { printable } from '../../text/printable.js';
import type { AgentPort } from './request.js';

const ENDS: Record<MirrorEnd, string> = {
  cleared: 'it was cleared',
  'lease-over': 'its lease ran out: nothing was heard of its owner',
  'source-gone': 'its source was removed',
  'target-gone': 'its target was removed',
  'target-stopped': 'its target was stopped',
  'queue-used': "the application began to send on the target's queue",
};

/** Why a mirror has ended, as part of a sentence. */
export function endText(reason: MirrorEnd): string {
  return ENDS[reason];
}

/** An id as people type it. */
export function idText(id: number): string {
  return id.toString(16).padStart(8, '0');
}

/** `matched 300, sent 300, refused 0 ...`. All are shown, also those that are 0. */
export function countersText(counters: MirrorCounters): string {
  const { matched, copied, sent, refused, nombuf, contended, missed, filtered, cut } = counters;
  const all = { matched, copied, sent, refused, nombuf, contended, missed, filtered, cut };
  return Object.entries(all)
    .map(([name, value]) => `${name} ${value}`)
    .join(', ');
}

/** `port 0 (net_null0) rx+tx to port 1 (net_null1), queue 0`. */
export function pathText(one: MirrorStatus): string {
  const directions = [...(one.rx ? ['rx'] : []), ...(one.tx ? ['tx'] : [])].join('+');
  const source = describePort({ id: one.sourcePort, name: one.sourceDevice });
  const target = describePort({ id: one.targetPort, name: one.targetDevice });
  return `port ${source} ${directions} to port ${target}, queue ${one.targetQueue}`;
}

/** A mirror in two lines. */
export function mirrorLines(one: MirrorStatus): string[] {
  const state =
    one.state === 'on'
      ? `on, of process ${one.ownerPid}, ends in ${one.leaseLeftSeconds} s unless it is renewed`
      : `${one.state}: ${endText(one.reason ?? 'cleared')}`;
  return [
    `mirror ${idText(one.id)}: ${pathText(one)}${detailText(one)}; ${state}`,
    `  ${countersText(one.counters)}`,
  ].map(printable);
}

function detailText({ filter, snaplen, pushedVlanTci, byReference }: MirrorStatus): string {
  const tag = pushedVlanTci === null ? [] : [`VLAN ${pushedVlanTci & 0xfff} pushed`];
  const cut = snaplen < 262_144 ? [`the first ${snaplen} bytes`] : [];
  const how = byReference ? ['by reference'] : [];
  const what = filter === '' ? [] : [`only ${filter}`];
  return [...how, ...cut, ...tag, ...what].map((one) => `; ${one}`).join('');
}

/** The document of a mirror. */
export function mirrorJson(one: MirrorStatus): Record<string, unknown> {
  const counters = Object.entries(one.counters).map(([name, value]) => [name, Number(value)]);
  const { id, ownerPid, rx, tx, pushedVlanTci, ...rest } = one;
  return {
    ...rest,
    id: idText(id),
    owner: { pid: ownerPid, startTicks: one.ownerStartTicks },
    ownerStartTicks: undefined,
    direction: rx && tx ? 'both' : rx ? 'rx' : 'tx',
    pushedVlan: pushedVlanTci === null ? null : { id: pushedVlanTci & 0xfff, priority: pushedVlanTci >> 13 },
    counters: Object.fromEntries(counters),
  };
}

/** The ports of an application, as sources and targets of mirrors. */
export function portLines(name: string, ports: readonly AgentPort[]): string[] {
  return [
    `${name}: any port's packets to a transmit queue of another one's on which it does not send`,
    ...ports.map(
      ({ id, name: device, driver, rxQueues, txQueues, mtu }) =>
        `  port ${describePort({ id, name: device })} ${driver}: ${rxQueues} rx and ${txQueues} tx queues, MTU ${mtu}`,
    ),
  ].map(printable);
}
