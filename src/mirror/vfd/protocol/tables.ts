/** VFd's text tables (`show all`, `show mirrors`, `show extended`) as typed values. */
import { DIRECTIONS, type Direction, type Mirror } from '../../controller.js';
import { normalisePci } from '../../target-spec.js';

/** One row of `show all`. */
export interface StatsRow {
  kind: 'pf' | 'vf';
  /** The PF number. The PF of a VF's row is the PF row above it. */
  pf: number;
  /** The row's own number. */
  id: number;
  pci: string | undefined;
  link: string | undefined;
  /** Every column by its heading, known or not. */
  columns: Record<string, string>;
}

/** Columns that VF rows leave blank. */
const PF_ONLY = ['Speed', 'Duplex'];
/** Columns in front of those that differ between releases. */
const LEADING = ['PF/VF', 'ID', 'PCIID', 'Link'];
const ROW = /^\s*(pf|vf)\s+(\d+)\s+(\S+)\s+(\S+)(.*)$/i;

/**
 * Reads `show all`, `show pfs` or `show N`. Columns are recognised by their order, since a number that is wider than
 * its column shifts what follows.
 */
export function parseStats(lines: readonly string[]): StatsRow[] {
  const headings = lines.map(parseHeadings).find((found) => found !== undefined) ?? LEADING;
  const rows: StatsRow[] = [];
  let pf: number | undefined;
  for (const line of lines) {
    const row = parseRow(line, headings, pf);
    if (row?.kind === 'pf') pf = row.id;
    if (row) rows.push(row);
  }
  return rows;
}

/** A heading may hold one blank ("RX pkts"), after a word that is known. */
function parseHeadings(line: string): string[] | undefined {
  if (!/^\s*PF\/VF\s/.test(line)) return undefined;
  return line.trim().match(/(?:RX|TX) \S+|\S+/g) ?? undefined;
}

function parseRow(line: string, headings: readonly string[], pf: number | undefined): StatsRow | undefined {
  const match = ROW.exec(line);
  if (!match) return undefined;
  const [, word = '', number = '', address = '', link = '', rest = ''] = match;
  const kind = word.toLowerCase() === 'pf' ? 'pf' : 'vf';
  const id = Number(number);
  if (kind === 'vf' && pf === undefined) return undefined; // the row belongs to no PF
  const names = headings.slice(LEADING.length).filter((name) => kind === 'pf' || !PF_ONLY.includes(name));
  const cells = rest.trim() === '' ? [] : rest.trim().split(/\s+/);
  const columns = Object.fromEntries(cells.map((cell, i) => [names[i] ?? `column ${LEADING.length + i + 1}`, cell]));
  return { kind, pf: kind === 'pf' ? id : (pf as number), id, pci: normalisePci(address), link, columns };
}

/** What `show mirrors` says. */
export interface MirrorTable {
  mirrors: Mirror[];
  /**
   * False when VFd has cut the list at 4 KiB or a line was not understood: what is not listed may be on all the same.
   */
  isComplete: boolean;
}

const PORT = /^\s*port (\d+) has \d+ mirrors?:?\s*$/;
const MIRROR = /^\s*vf (\d+) \((\w+)\) ==> vf (\d+)\s*$/;

/** Reads `show mirrors`. */
export function parseMirrors(lines: readonly string[]): MirrorTable {
  const mirrors: Mirror[] = [];
  let pf: number | undefined;
  let understood = true;
  for (const line of lines) {
    const port = PORT.exec(line);
    const mirror = port ? undefined : parseMirror(line, pf);
    if (port) pf = Number(port[1]);
    else if (mirror) mirrors.push(mirror);
    else understood = false;
  }
  return { mirrors, isComplete: understood };
}

function parseMirror(line: string, pf: number | undefined): Mirror | undefined {
  const match = MIRROR.exec(line);
  const direction = DIRECTIONS.find((one) => one === match?.[2]) as Direction | undefined;
  if (!match || !direction || pf === undefined) return undefined;
  return { pf, vf: Number(match[1]), direction, target: Number(match[3]) };
}

/** Reads `show extended`: counters by port. */
export function parseExtended(lines: readonly string[]): { pf: number; counters: Record<string, string> }[] {
  const ports: { pf: number; counters: Record<string, string> }[] = [];
  for (const line of lines) {
    const port = /^\s*port (\d+):\s*$/.exec(line)?.[1];
    const counter = /^\s*(\S+?):\s*(\S+)\s*$/.exec(line);
    if (port !== undefined) ports.push({ pf: Number(port), counters: {} });
    else if (counter) Object.assign(ports.at(-1)?.counters ?? {}, { [counter[1] as string]: counter[2] });
  }
  return ports;
}
