/**
 * The last check of a request before it is written. VFd checks next to nothing: some requests crash it, some are lost,
 * and some mean something else than they say. Such requests never leave this process, whatever the caller thought
 * (vfd.md 3, 5, 6).
 */
import { DpcapError } from '../../../errors.js';
import { describeRequest, type VfdRequest } from './request.js';

/** PIPE_BUF: up to this many bytes, a write to a FIFO is atomic. */
export const MAX_REQUEST = 4096;
/** The greatest VF number that VFd sends and expects. */
export const MAX_VF = 253;

const SHOW = /^(all|pfs|mirrors|extended|\d{1,3})$/;
const MIRROR_ON = /^(\d{1,3}) (\d{1,3}) (?:in|out|all) (\d{1,3})$/;
const MIRROR_OFF = /^\d{1,3} \d{1,3} off$/;

/**
 * Throws when a request must not be sent.
 * @param bytes the request as it would be written
 * @throws DpcapError ERR_MIRROR_UNSAFE; nothing has been written
 */
export function checkRequest(request: VfdRequest, bytes: Buffer): void {
  const fault = faultOfWords(request) ?? faultOfBytes(request, bytes);
  if (fault === undefined) return;
  throw new DpcapError('ERR_MIRROR_UNSAFE', `not sent to VFd: ${describeRequest(request).slice(0, 200)}: ${fault}`, {
    subject: request.action,
    hint: 'VFd would misunderstand it or be harmed by it; nothing was changed',
  });
}

function faultOfWords(request: VfdRequest): string | undefined {
  switch (request.action) {
    case 'add':
    case 'delete':
      return faultOfFile(request.filename);
    case 'show':
      return SHOW.test(request.resource) ? undefined : 'there is nothing of that name to show';
    case 'mirror':
      return faultOfMirror(request.resource);
    case 'verbose':
      return Number.isInteger(request.loglevel) && request.loglevel >= 0 && request.loglevel <= 4
        ? undefined
        : 'the log level is out of range';
    default:
      return undefined;
  }
}

/** Without a file name VFd crashes. A relative one it takes from another directory than the caller expects. */
function faultOfFile(filename: string): string | undefined {
  if (!filename) return 'without a file name it would crash VFd';
  return filename.startsWith('/') && !filename.endsWith('/') ? undefined : 'the file name is not absolute';
}

function faultOfMirror(resource: string): string | undefined {
  if (MIRROR_OFF.test(resource)) return undefined;
  const match = MIRROR_ON.exec(resource);
  if (!match) return 'VFd would take it for "off"';
  const [source, target] = [Number(match[2]), Number(match[3])];
  if (target > MAX_VF || source > MAX_VF) return 'the VF number is out of range';
  return source === target ? 'the target is the source' : undefined;
}

function faultOfBytes(request: VfdRequest, bytes: Buffer): string | undefined {
  const text = bytes.toString('utf8');
  if (bytes.length > MAX_REQUEST) return `it has ${bytes.length} bytes, more than ${MAX_REQUEST}`;
  if (text.indexOf('\n') !== text.length - 2 || !text.endsWith('}\n\n')) return 'it has a line break inside';
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what is looked for
  if (/[\\\x00-\x09\x0b-\x1f\x7f]/.test(text)) return 'it has a backslash or a control character';
  return readsAs(request, text) ? undefined : 'it has a quote inside a word';
}

/** A quote in a word would end the word early, and VFd would read other members than were meant. */
function readsAs(request: VfdRequest, text: string): boolean {
  try {
    const { action, params } = JSON.parse(text) as { action: string; params: Record<string, unknown> };
    const { action: meant, ...words } = request;
    const known = [...Object.keys(words), 'loglevel', 'r_fifo', 'vfd_rid'];
    return (
      action === meant &&
      Object.keys(params).every((key) => known.includes(key)) &&
      Object.entries(words).every(([key, value]) => params[key] === value)
    );
  } catch {
    return false;
  }
}
