/** Letters that are answered at once, without a capture: -d, -D, -L, -J. */
import { UsageError } from '../../errors.js';
import { dumpClassic } from '../../filter/bpf/dump.js';
import { compilePart } from '../../filter/text/complaints.js';
import { findFilter } from '../../filter/text/named-filters.js';
import { hostAddon } from '../../native/addons.js';
import { systemHost } from '../../primary/host.js';
import { collectListings } from '../../primary/listing.js';
import { runtimeRoot } from '../../primary/runtime-dir.js';
import { diagnostics } from '../../system/diagnostics.js';
import type { RawFilterOptions } from '../filter-options.js';
import type { RawLetters } from './options.js';
import { portList } from './port-list.js';

/** libpcap's own snaplen of a program that keeps whole packets. */
const WHOLE = 262144;

/** Options that classic BPF cannot say, and their names. */
const WORDS = [
  'host',
  'srcHost',
  'dstHost',
  'net',
  'proto',
  'port',
  'srcPort',
  'dstPort',
  'vlan',
  'inner',
  'innerDepth',
];

type Raw = RawLetters & RawFilterOptions & { interface?: string[]; snaplen?: number; filePrefix?: string };

/**
 * What these words ask for instead of a capture, as text.
 * @param snaplen the bytes of a packet to keep, which a classic program returns
 * @throws UsageError for an expression with a mistake in it
 */
export function answerTo(words: readonly string[], raw: Raw, snaplen: number): string {
  if (raw.listInterfaces) return listPorts(raw.filePrefix);
  const where = (raw.interface ?? ['any']).join(',');
  if (raw.listDataLinkTypes) return `Data link types for ${where} (use option -y to set):\n  EN10MB (Ethernet)\n`;
  if (raw.listTimeStampTypes) {
    const types = ['primary (Where the application handles packets)', 'host (On arrival at dpcap)'];
    return `Time stamp types for ${where} (use option -j to set):\n  ${types.join('\n  ')}\n`;
  }
  return dump(words, raw, snaplen);
}

/** Lists ports; what is to be said beside them goes to standard error. */
export function listPorts(filePrefix: string | undefined): string {
  const { lines, notes } = portList(collectListings(runtimeRoot(), systemHost(), filePrefix));
  for (const note of notes) diagnostics.write(`dpcap: ${note}\n`);
  return lines.map((line) => `${line}\n`).join('');
}

/** The program of `-d`, `-dd` and `-ddd`: what libpcap makes of the expression, and nothing of ours. */
function dump(words: readonly string[], raw: Raw, snaplen: number): string {
  const lost = WORDS.find((word) => raw[word] !== undefined);
  if (lost !== undefined) {
    const option = `--${lost.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
    throw new UsageError(`-d prints classic BPF of an expression, and ${option} is none`, {
      subject: option,
      hint: 'use --explain, which prints the program that is loaded into the primary',
    });
  }
  const named = (raw.filter ?? []).map((name) => findFilter(name).expression);
  const parts = [...named, words.join(' '), ...(raw.expression ?? [])].filter((text) => text.trim() !== '');
  const text = parts.length > 1 ? parts.map((part) => `(${part})`).join(' and ') : (parts[0] ?? '');
  const program = compilePart({ subject: 'filter', text }, hostAddon(), raw.optimize !== false);
  const kept = program.map((insn) => (insn.code === 0x06 && insn.k === WHOLE ? { ...insn, k: snaplen } : insn));
  return dumpClassic(kept, Number(raw.d));
}
