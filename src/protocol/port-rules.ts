/** What ports of one capture have of their own: a snaplen and a filter, given behind their -i. Pure. */
import * as z from 'zod/mini';
import { UsageError } from '../errors.js';
import { MAX_SNAPLEN } from './limits.js';

/** What a plan says of a filter. */
export const filterSchema = {
  /** Text of the filter, empty for none. */
  expression: z.string(),
  /** How the filter treats VLAN tags, for people. */
  reading: z.optional(z.string()),
  /** Notes on parts of the filter that mean something few people intend. */
  notes: z.optional(z.array(z.string())),
  /** eBPF as base64, empty for match-all. */
  program: z.string(),
  /** The program for transmitted packets, when it is a different one. */
  programTx: z.optional(z.string()),
};

export const snaplenSchema = z.int().check(z.minimum(1), z.maximum(MAX_SNAPLEN));

export const portRuleSchema = z.strictObject({ ...filterSchema, snaplen: snaplenSchema });

export type PortRule = z.infer<typeof portRuleSchema>;

/** A port of an application. */
interface Port {
  id: number;
  name: string;
}

/** Whether an id, a name or "any" means the port. */
export function isMeant(selector: string, { id, name }: Port): boolean {
  return selector === 'any' || selector === String(id) || selector === name;
}

/**
 * The rule of a port; undefined when all ports of the plan have the same.
 * @throws UsageError ERR_USAGE when the port was named twice, with different ones
 */
export function ruleOf(
  { ports, portRules }: { ports: readonly string[]; portRules?: readonly PortRule[] | undefined },
  port: Port,
): PortRule | undefined {
  if (!portRules) return undefined;
  const [rule, ...others] = portRules.filter((_, at) => isMeant(ports[at] ?? '', port));
  const isSame = (other: PortRule): boolean =>
    other.snaplen === rule?.snaplen && other.program === rule.program && other.programTx === rule.programTx;
  if (others.every(isSame)) return rule;
  const names = ports.filter((selector) => isMeant(selector, port));
  throw new UsageError(`-i ${names.join(' and -i ')} are one port, and have different -s or -f behind them`, {
    subject: port.name,
    hint: 'name each port once',
  });
}
