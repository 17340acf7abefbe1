/** All outputs there are: another one is a file of this folder, and a line here. */
import * as z from 'zod/mini';
import { DESCRIPTOR } from './descriptor.js';
import { DEVICE } from './device.js';
import { FILE } from './file.js';
import { INTERFACE } from './interface.js';
import type { Sink } from './sink.js';
import { TAP } from './tap.js';

export const SINKS = { file: FILE, device: DEVICE, fd: DESCRIPTOR, interface: INTERFACE, tap: TAP };

/** What a plan says of its output. */
export const outputSchema = z.discriminatedUnion('kind', [
  FILE.schema,
  DEVICE.schema,
  DESCRIPTOR.schema,
  INTERFACE.schema,
  TAP.schema,
]);
export type OutputPlan = z.infer<typeof outputSchema>;

/** The sink that a plan is about. */
export function sinkOf(output: OutputPlan): Sink<OutputPlan> {
  return SINKS[output.kind] as unknown as Sink<OutputPlan>; // the kind says so
}
