/** Reads dpdk-pdump's command line: EAL's words, `--`, and then its own words. */
import { UsageError } from '../errors.js';
import { didYouMean } from '../text/suggest.js';
import { type PdumpTuple, parsePdump } from './grammar.js';

export interface PdumpArguments {
  filePrefix: string | undefined;
  tuples: PdumpTuple[];
  /** The limit of each output; 0 means no limit. */
  packetLimit: number;
  /** Notes for people about words that are accepted but mean nothing here. */
  notes: string[];
}

/** EAL's options whose value is a word of its own. The others have no value, or have it behind a `=`. */
const EAL_WITH_VALUE = new Set(
  ['-l', '-c', '-n', '-r', '-m', '-d', '-a', '-b', '-s', '-S', '--lcores', '--main-lcore', '--socket-mem', '--vdev']
    .concat(['--allow', '--block', '--proc-type', '--log-level', '--huge-dir', '--iova-mode', '--base-virtaddr'])
    .concat(['--socket-limit', '--mbuf-pool-ops-name', '--syslog', '--trace', '--trace-dir', '--vfio-intr']),
);
const OWN = ['--pdump', '--multi', '--file-prefix', '-c'];

/**
 * Parses dpdk-pdump's words. Without `--`, all of them are its own, and `--file-prefix` may be among them.
 * @throws UsageError for a word that dpdk-pdump does not have, and for a mistake in a tuple
 */
export function parseArguments(words: readonly string[]): PdumpArguments {
  const cut = words.indexOf('--');
  const result: PdumpArguments = { filePrefix: undefined, tuples: [], packetLimit: 0, notes: [] };
  if (cut >= 0) readEal(words.slice(0, cut), result);
  readOwn(words.slice(cut + 1), result);
  if (result.tuples.length === 0) {
    throw new UsageError('there is no --pdump', { hint: "add --pdump 'port=0,queue=*,rx-dev=/tmp/rx.pcap'" });
  }
  return result;
}

function readEal(words: readonly string[], result: PdumpArguments): void {
  const ignored: string[] = [];
  for (let at = 0; at < words.length; at++) {
    const word = words[at] as string;
    const [name = '', inline] = word.split(/=(.*)/s);
    if (name === '--file-prefix') {
      setOnce(result, 'filePrefix', name, inline ?? words[++at]);
      continue;
    }
    ignored.push(word);
    if (EAL_WITH_VALUE.has(word) && at + 1 < words.length) ignored.push(words[++at] as string);
  }
  if (ignored.length > 0) result.notes.push(`EAL options are not needed here and ignored: ${ignored.join(' ')}`);
}

function readOwn(words: readonly string[], result: PdumpArguments): void {
  for (let at = 0; at < words.length; at++) {
    const word = words[at] as string;
    const [name = '', inline] = word.startsWith('--') ? word.split(/=(.*)/s) : [word, undefined];
    const value = (): string => {
      const text = inline ?? words[++at];
      if (text !== undefined) return text;
      throw new UsageError(`${name} needs a value`, { subject: name, hint: 'dpcap pdump --help shows the words' });
    };
    if (name === '--pdump') result.tuples.push(parsePdump(value()));
    else if (name === '--multi') result.notes.push('--multi is not needed: each output has a process of its own');
    else if (name === '--file-prefix') setOnce(result, 'filePrefix', name, value());
    else if (name === '-c') setOnce(result, 'packetLimit', name, packets(value()));
    else {
      const hint = didYouMean(name, OWN) ?? `the words are ${OWN.join(', ')}; EAL's stand before --`;
      throw new UsageError(`pdump: unknown word ${word}`, { subject: word, hint });
    }
  }
}

/** Refuses a second value: dpdk-pdump lets the last one win, which nobody who gives two of them intends. */
function setOnce<K extends 'filePrefix' | 'packetLimit'>(
  result: PdumpArguments,
  key: K,
  name: string,
  value: PdumpArguments[K],
): void {
  if (result[key] === undefined || result[key] === 0) result[key] = value;
  else throw new UsageError(`pdump: ${name} is given twice`, { subject: name, hint: `give ${name} once` });
}

function packets(text: string): number {
  if (/^[1-9]\d{0,14}$/.test(text)) return Number(text);
  throw new UsageError(`-c: ${text} is not a whole number from 1 to ${10 ** 15 - 1} packets`, {
    subject: text,
    hint: "EAL's -c stands before --",
  });
}
