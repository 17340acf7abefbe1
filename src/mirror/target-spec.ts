/** Parses what a person types for a PF, a VF, a direction or a whole mirror. */
import { UsageError } from '../errors.js';
import { DIRECTIONS, type Direction, type Selector, type SourceSelector } from './controller.js';

/** The greatest number that any controller knows: VFd's greatest VF. PFs are fewer. */
const MAX_NUMBER = 253;
const PCI = /^(?:([0-9a-f]{4,8}):)?([0-9a-f]{2}):([0-9a-f]{2})\.([0-7])$/i;
/** Names go into file names and requests, so they hold nothing that has a meaning there. */
const NAME = /^[A-Za-z0-9_][A-Za-z0-9_.-]{0,127}$/;
const SPEC_KEYS = ['pf', 'vf', 'direction', 'target'];

/**
 * Parses the name of a PF or VF.
 * @param option the option to name in messages
 * @throws UsageError
 */
export function parseSelector(option: string, text: string): Selector {
  if (/^\d+$/.test(text)) {
    const number = Number(text);
    if (number <= MAX_NUMBER) return { kind: 'number', number };
    throw new UsageError(`${option}: ${text} is out of range`, {
      subject: text,
      hint: `numbers go from 0 to ${MAX_NUMBER}`,
    });
  }
  const address = normalisePci(text);
  if (address) return { kind: 'pci', address };
  if (NAME.test(text)) return { kind: 'name', name: text };
  throw new UsageError(`${option}: ${JSON.stringify(text)} names no PF or VF`, {
    subject: text,
    hint: 'give a number, a PCI address (0000:08:10.1) or the name of a VF configuration',
  });
}

/** Returns a PCI address in lower case with a domain of four digits or more; undefined for any other text. */
export function normalisePci(text: string): string | undefined {
  const match = PCI.exec(text);
  if (!match) return undefined;
  const domain = (match[1] ?? '0000').replace(/^0+(?=.{4})/, '');
  return `${domain}:${match[2]}:${match[3]}.${match[4]}`.toLowerCase();
}

/**
 * Parses a direction. Other words are refused, because a daemon takes what it does not know for "off".
 * @throws UsageError
 */
export function parseDirection(text: string): Direction {
  const direction = DIRECTIONS.find((one) => one === text);
  if (direction) return direction;
  throw new UsageError(`--direction: unknown direction ${JSON.stringify(text)}`, {
    subject: text,
    hint: 'use in (what the guest receives), out (what it sends) or all; to switch off: dpcap mirror clear',
  });
}

/**
 * Parses the source of a mirror.
 * @throws UsageError, also when a VF number comes without a PF
 */
export function parseSource(pf: string | undefined, vf: string): SourceSelector {
  const source = { pf: pf === undefined ? undefined : parseSelector('--pf', pf), vf: parseSelector('--vf', vf) };
  if (source.pf || source.vf.kind !== 'number') return source;
  throw new UsageError(`--vf ${vf}: on which PF?`, {
    subject: vf,
    hint: 'add --pf, or name the VF by its PCI address',
  });
}

/** A mirror in one word: `pf=0,vf=1,direction=all,target=3`. */
export interface MirrorSpec {
  source: SourceSelector;
  direction: Direction;
  target: Selector;
}

/**
 * Parses the value of `--mirror`.
 * @throws UsageError
 */
export function parseMirrorSpec(text: string): MirrorSpec {
  const words = new Map<string, string>();
  for (const part of text.split(',')) {
    const [key = '', value] = part.split(/=(.*)/s, 2);
    if (value === undefined || !SPEC_KEYS.includes(key) || words.has(key)) throw badSpec(text, part);
    words.set(key, value);
  }
  const [vf, target] = [words.get('vf'), words.get('target')];
  if (vf === undefined || target === undefined) throw badSpec(text, vf === undefined ? 'no vf' : 'no target');
  return {
    source: parseSource(words.get('pf'), vf),
    direction: parseDirection(words.get('direction') ?? 'all'),
    target: parseSelector('target', target),
  };
}

function badSpec(text: string, part: string): UsageError {
  return new UsageError(`--mirror ${text}: cannot read ${JSON.stringify(part)}`, {
    subject: text,
    hint: 'write it like pf=0,vf=1,direction=all,target=3',
  });
}
