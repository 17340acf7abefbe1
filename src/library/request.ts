/** From a program's options to a plan, and to where packets go. */
import { pickSource } from '../agent/pick.js';
import { resolvePortNames } from '../dpvs/port-names.js';
import { UsageError } from '../errors.js';
import { compileFilter, type FilterProgram } from '../filter/compile.js';
import { filterNative } from '../primary/joining/filter-native.js';
import { MAX_SNAPLEN } from '../protocol/limits.js';
import type { EnginePlan } from '../protocol/plan.js';
import { type CaptureRequest, DEFAULT_REQUEST, formatOf } from '../protocol/request.js';
import { CODECS, type CodecName, codecOf } from '../sinks/compression.js';
import { INHERITED_FD } from '../sinks/descriptor.js';
import { descriptorOutput } from '../sinks/descriptor-target.js';
import { outputTarget } from '../sinks/file-target.js';
import type { CaptureTarget } from '../sinks/output-target.js';
import { rotationTarget } from '../sinks/rotation/target.js';
import { parseTunnelUrl } from '../sinks/tunnel/url.js';
import { createPlan, type PortChoice } from '../supervisor/create-plan.js';
import type { CaptureOptions } from './options.js';

/**
 * Does everything that can fail before an engine is started.
 * @param options have been checked
 * @throws UsageError, DpcapError
 */
export async function planCapture(options: CaptureOptions): Promise<{ plan: EnginePlan; target: CaptureTarget }> {
  const target = targetOf(options);
  const rules = rulesOf(options);
  const filter = rules ? undefined : filterOf(options, [options.filter]);
  const picked = pickSource(options.filePrefix, options.via ?? DEFAULT_REQUEST.via);
  const named = (options.ports ?? []).map((one) => (typeof one === 'string' ? one : one.port));
  const request = requestFrom(options, await resolvePortNames(named, picked));
  const snaplen = Math.max(...(rules ?? [request]).map((one) => one.snaplen));
  const purpose = `a program of pid ${process.pid}`;
  return { plan: createPlan({ ...request, snaplen }, filter, picked, target.to, purpose, rules), target };
}

function filterOf({ filePrefix }: CaptureOptions, expressions: (string | undefined)[]): FilterProgram | undefined {
  const given = expressions.filter((one) => one !== undefined);
  return given.length === 0 ? undefined : compileFilter({ expressions: given }, { native: filterNative(filePrefix) });
}

/**
 * What is captured of each port; undefined when none has anything of its own.
 * @throws UsageError
 */
function rulesOf(options: CaptureOptions): PortChoice[] | undefined {
  const { ports = [], filter, snaplen = MAX_SNAPLEN } = options;
  if (ports.every((one) => typeof one === 'string')) return undefined;
  if (ports.length > 1 && ports.some((one) => one === 'any' || (typeof one !== 'string' && one.port === 'any'))) {
    const hint = 'name the ports, or give one snaplen and filter for all';
    throw new UsageError('ports: "any" is all ports, so that another one cannot differ', { subject: 'ports', hint });
  }
  return ports.map((one) => {
    if (typeof one === 'string') return { snaplen, filter: filterOf(options, [filter]) };
    return { snaplen: one.snaplen ?? snaplen, filter: filterOf(options, [filter, one.filter]) };
  });
}

function targetOf({ to, rotation }: CaptureOptions): CaptureTarget {
  if (to === undefined) return { to: { kind: 'fd', fd: INHERITED_FD, name: 'the program' } };
  if ('tunnel' in to) return { to: parseTunnelUrl(to.tunnel, 'to.tunnel') };
  if ('file' in to) return rotation ? rotationTarget(to.file) : outputTarget(to.file);
  return descriptorOutput(to.fd, `descriptor ${to.fd}`, 'to.fd');
}

/** Makes the request: what was given, and the defaults for the rest. */
function requestFrom(options: CaptureOptions, ports: string[]): CaptureRequest {
  const { to, packets, compress, rotation, minFreeBytes, signal: _, filter: __, onNotice: ___, ...given } = options;
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
