/** From tuples to captures: one for each output file, each (port, queue, direction) in one of them. Pure. */
import type { Direction } from '../binding.js';
import { UsageError } from '../errors.js';
import type { PdumpTuple } from './grammar.js';

/** One capture into one file. */
export interface PdumpOutput {
  /** Index of the tuple it belongs to. */
  tuple: number;
  path: string;
  directions: Direction[];
}

/**
 * Equal names for rx and tx are one file, in time order.
 * @param deviceOf the device name of a port selector, where it is known
 * @throws UsageError when two would write one file, or take the same packets twice
 */
export function planOutputs(
  tuples: readonly PdumpTuple[],
  deviceOf: (port: string) => string = (port) => port,
): PdumpOutput[] {
  const outputs = tuples.flatMap(({ rxDev, txDev }, tuple): PdumpOutput[] => {
    if (rxDev !== undefined && rxDev === txDev) return [{ tuple, path: rxDev, directions: ['rx', 'tx'] }];
    return [
      ...(rxDev === undefined ? [] : [{ tuple, path: rxDev, directions: ['rx' as const] }]),
      ...(txDev === undefined ? [] : [{ tuple, path: txDev, directions: ['tx' as const] }]),
    ];
  });
  refuseSharedFile(outputs);
  refuseSharedQueue(tuples, outputs, deviceOf);
  return outputs;
}

function refuseSharedFile(outputs: readonly PdumpOutput[]): void {
  const twice = outputs.find(({ path }, at) => outputs.findIndex((other) => other.path === path) !== at);
  if (!twice) return;
  throw new UsageError(`two --pdump write to ${twice.path}`, {
    subject: twice.path,
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
