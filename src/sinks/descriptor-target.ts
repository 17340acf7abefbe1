/** `-w -` and other names of the supervisor's descriptors, which it looks at here and the engine has to inherit. */
import { fstatSync, readFileSync, type Stats } from 'node:fs';
import { isatty } from 'node:tty';
import { DpcapError, errnoOf, UsageError } from '../errors.js';
import { INHERITED_FD } from './descriptor.js';
import type { OutputTarget } from './output-target.js';

const [STDOUT, STDERR] = [1, 2];
const O_ACCMODE = 3;

/**
 * The output behind descriptor `fd`.
 * @param name the name as it was given
 * @param given the option that it was given with, for messages
 * @throws UsageError when packets must not go there, DpcapError ERR_SINK_OPEN when they cannot
 */
export function descriptorOutput(fd: number, name: string, given = `-w ${name}`): OutputTarget {
  const stats = writableDescriptor(fd, name);
  if (isatty(fd)) throw terminal(name, given, fd === STDOUT ? 'standard output is a terminal' : 'it is a terminal');
  if (isShared(stats)) {
    throw new UsageError(`${given}: standard error goes there, too, and messages would end up among the packets`, {
      subject: name,
      hint: 'send standard error elsewhere, such as 2> FILE',
    });
  }
  const title = fd === STDOUT ? 'standard output' : name;
  return { to: { kind: 'fd', fd: INHERITED_FD, name: title }, inherits: fd };
}

/** The error for a terminal, whose user wants no raw bytes on it. */
export function terminal(name: string, given: string, why: string): UsageError {
  return new UsageError(`${given}: ${why}`, { subject: name, hint: 'pipe it: dpcap -w - | tshark -r -' });
}

/** What is behind a descriptor. @throws DpcapError ERR_SINK_OPEN for one that cannot be written */
export function writableDescriptor(fd: number, name: string): Stats {
  try {
    const stats = fstatSync(fd);
    const flags = /^flags:\s*([0-7]+)/m.exec(readFileSync(`/proc/self/fdinfo/${fd}`, 'latin1'))?.[1] ?? '2';
    // Descriptors that node has for itself (epoll, eventfd) are none of these.
    const isData =
      stats.isFile() || stats.isFIFO() || stats.isSocket() || stats.isCharacterDevice() || stats.isBlockDevice();
    if (isData && (Number.parseInt(flags, 8) & O_ACCMODE) !== 0) return stats;
  } catch (error) {
    if (errnoOf(error) !== 'EBADF') throw error;
  }
  throw new DpcapError('ERR_SINK_OPEN', `cannot write ${name}: descriptor ${fd} is not open for writing`, {
    errno: 'EBADF',
    subject: name,
    hint: `open it in the shell: ${fd}> FILE`,
  });
}

/** Whether standard error is the same output. Devices may take both. */
function isShared(output: Stats): boolean {
  if (output.isCharacterDevice() || output.isBlockDevice()) return false;
  try {
    const messages = fstatSync(STDERR);
    return messages.dev === output.dev && messages.ino === output.ino;
  } catch {
    return false; // no standard error
  }
}
