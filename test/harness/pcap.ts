/** Reads captures with the tools that users read them with. */
import { run } from './processes.js';

/** One line a packet, as `tcpdump -nn` prints them, without the time of day. */
export function tcpdumpLines(path: string, expression = ''): string[] {
  return nonEmptyLines(run('tcpdump', ['-nn', '-t', '-Z', 'root', '-r', path, ...(expression ? [expression] : [])]));
}

/** Number of packets that `tcpdump` selects from a pcap or pcapng file. */
export function countPackets(path: string, expression = ''): number {
  const text = run('tcpdump', ['--count', '-Z', 'root', '-r', path, ...(expression ? [expression] : [])]);
  const match = text.match(/^(\d+) packets?/m);
  if (!match) throw new Error(`tcpdump --count said: ${text}`);
  return Number(match[1]);
}

/** Fields of each packet as tshark reads them, e.g. `tsharkFields(file, ['frame.len', 'frame.interface_id'])`. */
export function tsharkFields(path: string, fields: string[], displayFilter?: string): string[][] {
  const filter = displayFilter ? ['-Y', displayFilter] : [];
  const text = run('tshark', ['-n', '-r', path, ...filter, '-T', 'fields', ...fields.flatMap((f) => ['-e', f])], {
    timeoutMs: 60_000,
  });
  return text
    .split('\n')
    .slice(0, -1)
    .map((line) => line.split('\t'));
}

/** capinfos' machine-readable table: column title to value, e.g. `['Number of packets']` and `['File type']`. */
export function capinfos(path: string): Record<string, string> {
  const [titles = '', values = ''] = run('capinfos', ['-T', '-M', path]).split('\n');
  const cells = values.split('\t');
  return Object.fromEntries(titles.split('\t').map((title, index) => [title, cells[index] ?? '']));
}

function nonEmptyLines(text: string): string[] {
  return text.split('\n').filter((line) => line !== '');
}
