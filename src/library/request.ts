/** From a program's options to a plan, and to where packets go. */
import { pickSource } from '../agent/pick.js';
import { resolvePortNames } from '../dpvs/port-names.js';
import { UsageError } from '../errors.js';
import { compileFilter } from '../filter/compile.js';
import { filterNative } from '../primary/joining/filter-native.js';
import type { EnginePlan } from '../protocol/plan.js';
import { type CaptureRequest, DEFAULT_REQUEST, formatOf } from '../protocol/request.js';
import { CODECS, type CodecName, codecOf } from '../sinks/compression.js';
import { INHERITED_FD } from '../sinks/descriptor.js';
import { descriptorOutput } from '../sinks/descriptor-target.js';
import { outputTarget } from '../sinks/file-target.js';
import type { CaptureTarget } from '../sinks/output-target.js';
import { rotationTarget } from '../sinks/rotation/target.js';
import { parseTunnelUrl } from '../sinks/tunnel/url.js';
import { createPlan } from '../supervisor/create-plan.js';
import type { CaptureOptions } from './options.js';

/**
 * Does everything that can fail before an engine is started.
 * @param options have been checked
 * @throws UsageError, DpcapError
 */
export async function planCapture(options: CaptureOptions): Promise<{ plan: EnginePlan; target: CaptureTarget }> {
  const target = targetOf(options);
  const native = filterNative(options.filePrefix);
  const filter =
    options.filter === undefined ? undefined : compileFilter({ expressions: [options.filter] }, { native });
  const picked = pickSource(options.filePrefix, options.via ?? DEFAULT_REQUEST.via);
  const ports = await resolvePortNames(options.ports ?? [], picked);
  const request = requestFrom(options, ports);
  return { plan: createPlan(request, filter, picked, target.to, `a program of pid ${process.pid}`), target };
}

function targetOf({ to, rotation }: CaptureOptions): CaptureTarget {
  if (to === undefined) return { to: { kind: 'fd', fd: INHERITED_FD, name: 'the program' } };
  if ('tunnel' in to) return { to: parseTunnelUrl(to.tunnel, 'to.tunnel') };
  if ('file' in to) return rotation ? rotationTarget(to.file) : outputTarget(to.file);
  return descriptorOutput(to.fd, `descriptor ${to.fd}`, 'to.fd');
}

/** Makes the request: what was given, and the defaults for the rest. */
function requestFrom(options: CaptureOptions, ports: string[]): CaptureRequest {
  const { to, packets, compress, rotation, minFreeBytes, signal: _, filter: __, ...given } = options;
  const path = to !== undefined && 'file' in to ? to.file : undefined;
  const format = packets ? 'pcapng' : path === undefined ? DEFAULT_REQUEST.format : formatOf(path);
  const codec = compress?.codec ?? (path === undefined ? undefined : codecOf(path));
  return {
    ...DEFAULT_REQUEST,
    format,
    compression: codec && { codec, level: levelOf(codec, compress?.level) },
    minFree: minFreeBytes,
    rotation: rotation && planOf(rotation),
    ...given,
    ports,
  } as CaptureRequest;
}

function planOf(rotation: NonNullable<CaptureOptions['rotation']>): NonNullable<CaptureRequest['rotation']> {
  const { bytes = 0, packets = 0, durationMs = 0, intervalMs = 0, ring = 0, mostFiles = 0 } = rotation;
  return { bytes, packets, durationMs, intervalMs, ring, mostFiles, names: { kind: 'numbered' } };
}

/** @throws UsageError for a level that the codec does not have */
function levelOf(codec: CodecName, level: number = CODECS[codec].usual): number {
  const { least, most } = CODECS[codec];
  if (level >= least && level <= most) return level;
  throw new UsageError(`compress.level: ${level} is no level of ${codec}`, {
    subject: 'compress.level',
    hint: `use ${least} to ${most}`,
  });
}
