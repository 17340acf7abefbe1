/** Writes flow rules as testpmd's prompt takes them: what a person reads, and can type. Pure. */
import type { Prefix } from '../../filter/words/address-set.js';
import { addressText } from '../../filter/words/word-values.js';
import type { FlowDestination } from '../../native/flow-binding.js';
import { maskOf, type Pattern, WITH_PORTS } from './pattern.js';

/** What is the same in all rules of a mirror. */
export interface RuleFrame {
  /** The port whose driver is asked. */
  through: number;
  /** The port whose packets are meant. */
  source: number;
  isTransfer: boolean;
  counts: boolean;
  ratio: number;
  fate: FlowDestination;
  copy: FlowDestination;
}

/** The command that sets what becomes of copies: testpmd keeps that apart from the rules. */
export function sampleLine({ copy }: RuleFrame): string {
  return `set sample_actions 0 ${actionText(copy)} / end`;
}

/** A rule: `validate` asks for it, `create` makes it. */
export function ruleLine(verb: 'create' | 'validate', frame: RuleFrame, pattern: Pattern): string {
  const { through, isTransfer, counts, ratio, fate } = frame;
  const actions = [`sample ratio ${ratio} index 0`, ...(counts ? ['count'] : []), actionText(fate)].join(' / ');
  const way = isTransfer ? 'transfer' : 'ingress';
  return `flow ${verb} ${through} ${way} pattern ${patternText(frame, pattern)} / end actions ${actions} / end`;
}

/** What a rule matches, without its end. */
export function patternText(
  { isTransfer, source }: Pick<RuleFrame, 'isTransfer' | 'source'>,
  pattern: Pattern,
): string {
  const { vlan, ipVersion, protocol } = pattern;
  return [
    ...(isTransfer ? [`represented_port ethdev_port_id is ${source}`] : []),
    ethText(pattern),
    ...(typeof vlan === 'number' ? [vlanText(vlan, pattern)] : []),
    ...(ipVersion === undefined ? [] : [ipText(ipVersion, pattern)]),
    ...(protocol === undefined || WITH_PORTS[protocol] === undefined ? [] : [transportText(protocol, pattern)]),
  ].join(' / ');
}

function actionText({ kind, value }: FlowDestination): string {
  if (kind === 'queue') return `queue index ${value}`;
  if (kind === 'port') return `represented_port ethdev_port_id ${value}`;
  return kind === 'jump' ? `jump group ${value}` : 'drop';
}

const hex = (number: number, digits: number): string => number.toString(16).padStart(digits, '0');
const macText = (mac: readonly number[]): string => mac.map((byte) => hex(byte, 2)).join(':');

function item(name: string, fields: readonly (string | undefined)[]): string {
  return [name, ...fields.filter((field) => field !== undefined)].join(' ');
}

function given<T>(value: T | undefined, text: (value: T) => string): string | undefined {
  return value === undefined ? undefined : text(value);
}

function ethText({ sourceMac, targetMac, etherType, vlan }: Pattern): string {
  return item('eth', [
    given(sourceMac, (mac) => `src is ${macText(mac)}`),
    given(targetMac, (mac) => `dst is ${macText(mac)}`),
    typeof vlan === 'number' ? undefined : given(etherType, (type) => `type is 0x${hex(type, 4)}`),
    vlan === 'none' ? 'has_vlan is 0' : undefined,
  ]);
}

function vlanText(vlan: number, { etherType }: Pattern): string {
  return item('vlan', [`vid is ${vlan}`, given(etherType, (type) => `inner_type is 0x${hex(type, 4)}`)]);
}

function ipText(version: 4 | 6, { sourceIp, targetIp, protocol }: Pattern): string {
  const isProtocol = protocol !== undefined && WITH_PORTS[protocol] === undefined;
  return item(`ipv${version}`, [
    given(sourceIp, (prefix) => prefixText('src', prefix)),
    given(targetIp, (prefix) => prefixText('dst', prefix)),
    isProtocol ? `proto is ${protocol}` : undefined,
  ]);
}

/** By its mask, because testpmd's shorter word for that (`src prefix 8`) ends testpmd 25.11 with a segmentation fault. */
function prefixText(side: string, prefix: Prefix): string {
  const address = addressText(prefix.bytes);
  if (prefix.bits === 8 * prefix.bytes.length) return `${side} is ${address}`;
  return `${side} spec ${address} ${side} mask ${addressText(maskOf(prefix))}`;
}

function transportText(protocol: number, { sourcePort, targetPort }: Pattern): string {
  return item(WITH_PORTS[protocol] as string, [
    given(sourcePort, (port) => `src is ${port}`),
    given(targetPort, (port) => `dst is ${port}`),
  ]);
}
