/** Turns the raw options of `dpcap mirror` into requests, and writes results to standard output. */
import { UsageError } from '../../../errors.js';
import { type ControllerOptions, chooseController, VIA } from '../../../mirror/choose.js';
import type { MirrorController, SetRequest } from '../../../mirror/controller.js';
import { NIC_DRIVERS } from '../../../mirror/nic.js';
import { parseDirection, parseSelector, parseSource } from '../../../mirror/target-spec.js';

/** Options as commander hands them over. */
export interface RawMirrorOptions {
  pf?: string;
  vf?: string;
  direction?: string;
  target?: string;
  via?: string;
  fifo?: string;
  config?: string;
  nic?: string;
  mac?: string;
  for?: string;
  untilExit?: boolean;
  byConfig?: boolean;
  force?: boolean;
  yes?: boolean;
  all?: boolean;
  json?: boolean;
}

/**
 * Chooses the controller for these options.
 * @throws UsageError
 */
export function controllerFor(raw: RawMirrorOptions): MirrorController {
  const options: ControllerOptions = { fifo: raw.fifo, config: raw.config, mac: raw.mac };
  return chooseController({
    ...options,
    via: oneOf('--via', raw.via, VIA),
    driver: oneOf('--nic', raw.nic, NIC_DRIVERS),
  });
}

function oneOf<const T extends string>(option: string, text: string | undefined, words: readonly T[]): T | undefined {
  const found = words.find((word) => word === text);
  if (found !== undefined || text === undefined) return found;
  throw new UsageError(`${option}: unknown value ${text}`, { subject: text, hint: `use ${words.join(', ')}` });
}

/** @throws UsageError */
export function requestFrom(raw: RawMirrorOptions): SetRequest {
  return {
    source: parseSource(raw.pf, needVf(raw)),
    direction: parseDirection(raw.direction ?? ''),
    target: parseSelector('--target', raw.target ?? ''),
    force: raw.force ?? false,
    byConfig: raw.byConfig ?? false,
  };
}

/** @throws UsageError */
export function needVf(raw: RawMirrorOptions): string {
  if (raw.vf !== undefined) return raw.vf;
  throw new UsageError('which VF?', { hint: 'add --vf: a number (with --pf), a PCI address or a name' });
}

/** Prints a result to standard output, in the form that was asked for. */
export function print(raw: { json?: boolean }, value: unknown, lines: readonly string[]): void {
  process.stdout.write(`${raw.json ? JSON.stringify(value) : lines.join('\n')}\n`);
}
