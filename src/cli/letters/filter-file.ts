/** `-F FILE`: an expression from a file, as in tcpdump. `-F pcap` and `-F pcapng` are formats, as in dumpcap. */
import { readFileSync } from 'node:fs';
import { errnoOf, UsageError } from '../../errors.js';
import { formatSchema } from '../../protocol/request.js';

/** More than any expression that libpcap compiles in a lifetime. */
const MOST_BYTES = 1 << 20;

/** What `-F` may stand for. */
interface RawFormat {
  format?: string;
  expression?: string[];
}

/**
 * Turns a `-F` that names a file into an expression. It holds beside others, as everything does that is given.
 * @throws UsageError when it is neither a format nor a file that can be read
 */
export function withFilterFile<Raw extends RawFormat>(raw: Raw): Raw {
  const { format: file, ...rest } = raw;
  if (file === undefined || formatSchema.safeParse(file).success) return raw;
  return { ...(rest as Raw), expression: [...(raw.expression ?? []), readFilterFile(file)] };
}

/** Reads an expression from a file, or from standard input for `-`. */
function readFilterFile(file: string): string {
  const text = contentsOf(file);
  if (text.length <= MOST_BYTES) return text.replace(/#.*$/gm, '').replace(/\s+/g, ' ').trim();
  throw new UsageError(`-F ${file}: it is too long for an expression`, {
    subject: file,
    hint: `the most is ${MOST_BYTES} characters; give lists of addresses as --host, --net and --port`,
  });
}

function contentsOf(file: string): string {
  try {
    return readFileSync(file === '-' ? 0 : file, 'utf8');
  } catch (cause) {
    const formats = formatSchema.options.join(' or ');
    throw new UsageError(`-F ${file}: it is no format, and no file that can be read`, {
      cause,
      errno: errnoOf(cause),
      subject: file,
      hint: `give ${formats} for the format of -w, or a file with an expression`,
    });
  }
}
