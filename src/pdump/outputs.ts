/** Turns tuples into captures: one for each output, and each lane (port, queue, direction) is in one of them. Pure. */

import { UsageError } from '../errors.js';
import type { Direction } from '../native/primary-binding.js';
import type { EnginePlan } from '../protocol/plan.js';
import type { PdumpTuple } from './grammar.js';

/** One capture into one file, or out of one kernel interface. */
export interface PdumpOutput {
  /** Index of the tuple it belongs to. */
  tuple: number;
  to: Extract<EnginePlan['output'], { kind: 'file' | 'interface' }>;
  directions: Direction[];
}

/**
 * Plans the outputs. Equal names for rx and tx are one output, in time order.
 * @param isInterface whether a kernel interface has this name; any other name is a file's
 * @param deviceOf the device name of a port selector, where it is known
 * @throws UsageError when two outputs would write one file, or take the same packets twice
 */
export function planOutputs(
  tuples: readonly PdumpTuple[],
  isInterface: (name: string) => boolean,
  deviceOf: (port: string) => string = (port) => port,
): PdumpOutput[] {
  const outputTo = (name: string): PdumpOutput['to'] =>
    isInterface(name) ? { kind: 'interface', name } : { kind: 'file', path: name };
  const outputs = tuples.flatMap(({ rxDev, txDev }, tuple): PdumpOutput[] => {
    if (rxDev !== undefined && rxDev === txDev) return [{ tuple, to: outputTo(rxDev), directions: ['rx', 'tx'] }];
    return [
      ...(rxDev === undefined ? [] : [{ tuple, to: outputTo(rxDev), directions: ['rx' as const] }]),
      ...(txDev === undefined ? [] : [{ tuple, to: outputTo(txDev), directions: ['tx' as const] }]),
    ];
  });
  refuseSharedFile(outputs);
  refuseSharedQueue(tuples, outputs, deviceOf);
  return outputs;
}

/** Refuses a file that two outputs share. An interface may be shared: whole frames meet there anyway. */
function refuseSharedFile(outputs: readonly PdumpOutput[]): void {
  const paths = outputs.flatMap(({ to }) => (to.kind === 'file' ? [to.path] : []));
  const twice = paths.find((path, at) => paths.indexOf(path) !== at);
  if (twice === undefined) return;
  throw new UsageError(`two --pdump write to ${twice}`, {
    subject: twice,
    hint: 'give each its own file and join them with mergecap; or use dpcap -i any, which writes several ports to one',
  });
}

function refuseSharedQueue(
  tuples: readonly PdumpTuple[],
  outputs: readonly PdumpOutput[],
  deviceOf: (port: string) => string,
): void {
  outputs.forEach((one, at) => {
    const a = tuples[one.tuple] as PdumpTuple;
    for (const other of outputs.slice(at + 1)) {
      const b = tuples[other.tuple] as PdumpTuple;
      const direction = one.directions.find((own) => other.directions.includes(own));
      const sameQueue = a.queue === undefined || b.queue === undefined || a.queue === b.queue;
      if (direction === undefined || !sameQueue || deviceOf(a.port) !== deviceOf(b.port)) continue;
      const queue = a.queue ?? b.queue;
      const what = `port ${a.port} queue ${queue ?? '*'} ${direction}`;
      throw new UsageError(`two --pdump capture ${what}: a primary has room for one capture there`, {
        subject: what,
        hint: 'use one --pdump without the narrower filter, and filter its file with tcpdump -r',
      });
    }
  });
}

/** The name of an output, for people. */
export function nameOf(to: PdumpOutput['to']): string {
  return to.kind === 'file' ? to.path : `interface ${to.name}`;
}
