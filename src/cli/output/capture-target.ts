/** Where the packets of a capture go: from what was asked for to an output, and to what is said of it. */
import type { CaptureRequest } from '../../protocol/request.js';
import { INHERITED_FD } from '../../sinks/descriptor.js';
import { descriptorOutput } from '../../sinks/descriptor-target.js';
import type { FileOwner } from '../../sinks/file-owner.js';
import { outputTarget } from '../../sinks/file-target.js';
import type { CaptureTarget } from '../../sinks/output-target.js';
import { sinkOf } from '../../sinks/registry.js';
import { rotationTarget } from '../../sinks/rotation/target.js';

/**
 * Finds the output.
 * @param owner whom a new file is given to
 * @throws UsageError, DpcapError ERR_SINK_OPEN
 */
export function chooseTarget(request: CaptureRequest, owner?: FileOwner): CaptureTarget {
  const { output, rotation, packetBuffered: isFollowed } = request;
  if (output.kind === 'file' && rotation)
    return isFollowed ? followedSeries(output.path, owner) : rotationTarget(output.path, owner);
  if (output.kind === 'tunnel') return { to: output };
  if (output.kind === 'count') return { to: { kind: 'device', path: '/dev/null' } };
  if (output.kind === 'print') return { to: { kind: 'fd', fd: INHERITED_FD, name: 'the program that prints' } };
  return output.kind === 'stdout' ? descriptorOutput(1, '-') : outputTarget(output.path, { isFollowed, owner });
}

/** Each file has a name of its own until it is complete: the next one is open before it is. They are found by its ending. */
function followedSeries(path: string, owner: FileOwner | undefined): CaptureTarget {
  return {
    ...rotationTarget(path, owner),
    note: `as ${path}.${process.pid}-RANDOM.partial until each file is complete`,
  };
}

/** The output in words, for the line that tells of the start. */
export function describeTarget({ to, note }: CaptureTarget, { output, format, compression }: CaptureRequest): string {
  if (output.kind === 'count') return 'be counted';
  const name = sinkOf(to).nameOf(to);
  if (to.kind === 'tunnel') return name;
  return `${name} (${format}${compression ? `, ${compression.codec}` : ''}${note ? `, written ${note}` : ''})`;
}
