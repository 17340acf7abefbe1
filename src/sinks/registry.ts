/**
 * All kinds of outputs: another one needs a file in this folder, and its line here. What leads to it (a name after -w, the
 * library's `to`) is listed in docs/architecture.md.
 */
import * as z from 'zod/mini';
import { DESCRIPTOR } from './descriptor.js';
import { DEVICE } from './device.js';
import { FILE } from './file.js';
import { INTERFACE } from './interface.js';
import type { Sink } from './sink.js';
import { TAP } from './tap.js';
import { TUNNEL } from './tunnel/tunnel.js';

/** Each kind of output with its sink: a new one is one line here. */
export const SINKS = { file: FILE, device: DEVICE, fd: DESCRIPTOR, interface: INTERFACE, tap: TAP, tunnel: TUNNEL };

type Schema = (typeof SINKS)[keyof typeof SINKS]['schema'];

/** What a plan says about its output. */
export const outputSchema = z.discriminatedUnion(
  'kind',
  Object.values(SINKS).map(({ schema }) => schema) as [Schema, ...Schema[]],
);
export type OutputPlan = z.infer<Schema>;

/** The sink for the output of a plan. */
export function sinkOf(output: OutputPlan): Sink<OutputPlan> {
  return SINKS[output.kind] as unknown as Sink<OutputPlan>; // the kind says so
}
