/** The whole filter as bytes for the primary; they are loaded here first, as a trial. */

import { errnoOf, UsageError } from '../errors.js';
import type { ExtendedBinding, FilterBinding } from '../native/filter-binding.js';
import type { Layouts } from '../native/host-binding.js';
import type { Direction } from '../native/primary-binding.js';
import { type ExtendedInsn, encode } from './bpf/isa.js';
import { forKernel } from './codegen/kernel.js';
import { buildPipeline, type PipelineOptions, type Stage } from './codegen/pipeline.js';

/** The functions that make a program. Without `verifyExtended`, no trial is made: there is no DPDK here. */
export type FilterNative = FilterBinding &
  Pick<Layouts, 'mbufLayout'> &
  Partial<Pick<ExtendedBinding, 'verifyExtended'>>;

/** The longest time that the primary's control thread may spend on loading a filter. */
export const LOAD_LIMIT_MS = 1000;

/** 8-byte eBPF instructions, ready for the primary. */
export interface LoadableProgram {
  /** For received packets. */
  extended: Uint8Array;
  /** For transmitted packets; it differs only where tags in the mbuf matter. */
  extendedTx: Uint8Array;
  /** The same two for the kernel, where probes run them; undefined where one is too long for that. */
  kernel: { rx: Uint8Array; tx: Uint8Array } | undefined;
}

/** @throws UsageError ERR_FILTER_UNSUPPORTED when a primary cannot run the filter */
export function makeLoadable(
  stages: readonly Stage[],
  options: Omit<PipelineOptions, 'layout' | 'direction'>,
  native: FilterNative,
): LoadableProgram {
  const layout = native.mbufLayout;
  const build = (direction: Direction): ExtendedInsn[] => buildPipeline(stages, { ...options, layout, direction });
  const programs = [build('rx'), build('tx')] as const;
  const [extended, transmit] = [encode(programs[0]), encode(programs[1])];
  const extendedTx = Buffer.compare(extended, transmit) === 0 ? extended : transmit;
  for (const program of new Set([extended, extendedTx])) verify(program, native);
  const [rx, tx] = [forKernel(programs[0], layout), forKernel(programs[1], layout)];
  return { extended, extendedTx, kernel: rx && tx && { rx: encode(rx), tx: encode(tx) } };
}

/** Whether a filter was refused because DPDK's verifier takes too long for it; a simpler filter might pass. */
export const isTooComplex = (error: unknown): boolean =>
  error instanceof UsageError && error.code === 'ERR_FILTER_UNSUPPORTED' && errnoOf(error.cause) === 'ETIMEDOUT';

/** The trial load: a program that the verifier refuses, or checks for too long, never reaches the primary. */
function verify(extended: Uint8Array, native: FilterNative): void {
  try {
    native.verifyExtended?.(extended, LOAD_LIMIT_MS);
  } catch (cause) {
    throw new UsageError(`the filter cannot be loaded into a primary: ${(cause as Error).message}`, {
      code: 'ERR_FILTER_UNSUPPORTED',
      cause,
      hint: 'use a simpler expression: fewer alternatives, less arithmetic on packet bytes',
    });
  }
}
