/**
 * dumpcap's rule for -s and -f: before the first -i they are for all ports, behind an -i for that port alone, where a -s
 * replaces the one for all and a -f holds beside it.
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

/** What is for one -i alone, beside what is for all; -s is the one that holds there, undefined for the default. */
export interface PortWords {
  port: string;
  snapshotLength: string | undefined;
  expression: string[];
}

/** Notes where -s and -f stand among the -i of a command line. */
export class PortScopes {
  readonly #common: Scope = { port: undefined, expressions: [] };
  readonly #ports: (Scope & { port: string })[] = [];

  /** Listens to a command that has these options. Its -s has to be one that may be repeated. */
  constructor(command: Command) {
    command.on('option:interface', (port: string) => this.#ports.push({ port, expressions: [] }));
    command.on('option:snapshot-length', (value: string) => this.#setSnaplen(value));
    command.on('option:expression', (value: string) => this.#last.expressions.push(value));
  }

  /** The options as they are for all ports, and what each -i has of its own; undefined where that is the same. */
  applied<T extends Raw>(raw: T): { common: T; own: PortWords[] | undefined } {
    const [first] = this.#ports;
    if (first === undefined) return { common: raw, own: undefined };
    const common = this.#ofAll(raw);
    const own = this.#ports.map(({ port, snaplen = common.snapshotLength, expressions }): PortWords => {
      return { port, snapshotLength: snaplen, expression: expressions };
    });
    if (own.every((one) => isSame(one, own[0]))) {
      // The same filter behind each -i is one filter.
      const expression = [...this.#common.expressions, ...first.expressions];
      return { common: expression.length === 0 ? raw : { ...raw, expression }, own: undefined };
    }
    refuseAny(own);
    return { common, own };
  }

  /** The options without what was typed behind an -i; what was not typed at all is the configuration's. */
  #ofAll<T extends Raw>(raw: T): T {
    const scopes = [this.#common, ...this.#ports];
    const { snapshotLength, expression, ...rest } = raw;
    const isTyped = scopes.some(({ snaplen }) => snaplen !== undefined);
    const snaplen = isTyped ? this.#common.snaplen : snapshotLength;
    const expressions = scopes.some((one) => one.expressions.length > 0) ? this.#common.expressions : expression;
    return {
      ...rest,
      ...(snaplen === undefined ? {} : { snapshotLength: snaplen }),
      ...(expressions === undefined || expressions.length === 0 ? {} : { expression: expressions }),
    } as T;
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

function isSame(one: PortWords, other: PortWords | undefined): boolean {
  const text = ({ snapshotLength, expression }: PortWords): string => JSON.stringify([snapshotLength, expression]);
  return other !== undefined && text(one) === text(other);
}

/** Whatever another -i is about is among all ports already. */
function refuseAny(own: readonly PortWords[]): void {
  if (own.length < 2 || own.every(({ port }) => port !== 'any')) return;
  throw new UsageError('-i any is all ports, so that -s and -f behind another -i contradict it', {
    subject: 'any',
    hint: 'name each port, or give -s and -f before the first -i, for all ports',
  });
}
