/** What a flight recorder is asked for, as the agent is told and as an application's environment says it. Pure. */
import { UsageError } from '../errors.js';
import type { FilterProgram } from '../filter/compile.js';
import type { Direction, Port } from '../native/primary-binding.js';
import type { RecorderOrder } from '../native/recorder-binding.js';
import { selectPorts } from '../protocol/lanes.js';
import { sizeText } from '../text/size.js';

/** The variable in an application's environment that starts a recorder with it. */
export const VARIABLE = 'DPCAP_RECORDER';

/** Bytes. */
export const MEMORY = { default: 256 * 2 ** 20, min: 4 * 2 ** 20, max: 64 * 2 ** 30 } as const;

/** The longest text of a filter that a box has room for, in bytes. */
const LONGEST_FILTER = 1023;

/** A checked request. */
export interface RecorderRequest {
  memory: number;
  snaplen: number;
  directions: readonly Direction[];
  filter: FilterProgram | undefined;
}

/** The order for an agent. `devices`: names, empty for all. */
export function recorderOrder(request: RecorderRequest, devices: string[]): RecorderOrder {
  const { memory, snaplen, directions, filter } = request;
  return {
    memory,
    snaplen,
    rx: directions.includes('rx'),
    tx: directions.includes('tx'),
    devices,
    program: filter?.extended ?? new Uint8Array(),
    programTx: filter?.extendedTx ?? new Uint8Array(),
    filter: shortened(filter?.expression ?? ''),
  };
}

/** The names of the devices that are meant; empty for all of them, also those that come later. @throws UsageError */
export function devicesOf(selectors: readonly string[], ports: readonly Port[]): string[] {
  if (selectors.length === 0 || selectors.includes('any')) return [];
  return selectPorts(selectors, ports).map(({ name }) => name);
}

/**
 * The value of DPCAP_RECORDER that stands for an order: in the application nothing can compile a filter, so the program goes
 * with it.
 * @throws UsageError when a name cannot be told in it
 */
export function environmentWords(order: RecorderOrder): string {
  const { memory, snaplen, rx, tx, devices, program, programTx, filter } = order;
  const odd = devices.find((name) => /[+,]/.test(name) || name.length > 63);
  if (odd !== undefined) {
    throw new UsageError(`${odd} cannot be named in ${VARIABLE}`, {
      subject: odd,
      hint: 'leave -i away for all ports',
    });
  }
  const hex = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
  return [
    `memory=${sizeText(memory)}`,
    `snaplen=${snaplen}`,
    ...(rx && tx ? [] : [`directions=${rx ? 'rx' : 'tx'}`]),
    ...(devices.length > 0 ? [`ports=${devices.join('+')}`] : []),
    ...(program.length > 0 ? [`program=${hex(program)}`, `program-tx=${hex(programTx)}`] : []),
    ...(filter !== '' ? [`filter=${filter}`] : []),
  ].join(',');
}

function shortened(text: string): string {
  const bytes = Buffer.from(text);
  if (bytes.length <= LONGEST_FILTER) return text;
  let end = LONGEST_FILTER - 3;
  while ((bytes.readUInt8(end) & 0xc0) === 0x80) end--; // a character of several bytes is kept whole, or left out
  return `${bytes.toString('utf8', 0, end)}...`;
}
