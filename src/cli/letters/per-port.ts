/**
 * dumpcap's rule for -s and -f: before the first -i they are for all ports, behind an -i for that port alone. A capture has
 * one snaplen and one filter for all of its ports, so a line that asks for different ones is refused.
 */
import type { Command } from 'commander';
import { UsageError } from '../../errors.js';

/** What was given in one place: before the first -i, or behind one. */
interface Scope {
  /** What the -i says; undefined before the first. */
  port: string | undefined;
  snaplen?: string;
  expressions: string[];
}

interface Raw {
  snapshotLength?: string;
  expression?: string[];
}

/** Notes where -s and -f stand among the -i of a command line. */
export class PortScopes {
  readonly #common: Scope = { port: undefined, expressions: [] };
  readonly #ports: Scope[] = [];

  /** Listens to a command that has these options. Its -s has to be one that may be repeated. */
  constructor(command: Command) {
    command.on('option:interface', (port: string) => this.#ports.push({ port, expressions: [] }));
    command.on('option:snapshot-length', (value: string) => this.#setSnaplen(value));
    command.on('option:expression', (value: string) => this.#last.expressions.push(value));
  }

  /**
   * The options as they are for all ports.
   * @throws UsageError where ports are to have different ones
   */
  applied<T extends Raw>(raw: T): T {
    const [first, ...others] = this.#ports;
    if (first === undefined || others.length === 0) return raw;
    const snaplen = ({ snaplen = this.#common.snaplen }: Scope): string => snaplen ?? 'the default';
    const filter = ({ expressions }: Scope): string => expressions.join(' and ') || 'none';
    for (const other of others) {
      refuseDifferent('-s', first, other, snaplen);
      refuseDifferent('-f', first, other, filter);
    }
    // The same filter behind each -i is one filter.
    const expression = [...this.#common.expressions, ...first.expressions];
    return expression.length === 0 ? raw : { ...raw, expression };
  }

  get #last(): Scope {
    return this.#ports.at(-1) ?? this.#common;
  }

  #setSnaplen(value: string): void {
    const scope = this.#last;
    if (scope.snaplen !== undefined) {
      const what = scope.snaplen === value ? `\`${value}\`` : `\`${scope.snaplen}\` and \`${value}\``;
      const where = scope.port === undefined ? '' : ` for port ${scope.port}`;
      throw new UsageError(`--snapshot-length is given twice${where}: ${what}`, {
        subject: value,
        hint: 'give --snapshot-length once',
      });
    }
    scope.snaplen = value;
  }
}

function refuseDifferent(option: string, one: Scope, other: Scope, textOf: (scope: Scope) => string): void {
  const [first, second] = [textOf(one), textOf(other)];
  if (first === second) return;
  const message = `${option} behind -i is for that port alone: ${first} for ${one.port}, ${second} for ${other.port}`;
  throw new UsageError(`${message}, but a capture has one for all ports`, {
    subject: second,
    hint: `give ${option} before the first -i, for all ports, or start a capture for each port`,
  });
}
