/** Turns the raw options of `dpcap mirror` into requests, and writes results to standard output. */
import { UsageError } from '../../../errors.js';
import {
  type ControllerOptions,
  chooseController,
  hasVfd,
  isAboutPorts,
  VIA,
  type Via,
} from '../../../mirror/choose.js';
import type { MirrorController, SetRequest } from '../../../mirror/controller.js';
import { NIC_DRIVERS } from '../../../mirror/nic.js';
import { parseDirection, parseSelector, parseSource } from '../../../mirror/target-spec.js';
import type { RawFilterOptions } from '../../filter-options.js';

/** Options as commander hands them over. */
export interface RawMirrorOptions extends RawFilterOptions {
  filePrefix?: string;
  interface?: string[];
  toPort?: string;
  toQueue?: string;
  to?: string;
  outPort?: string;
  nextHop?: string;
  snapshotLength?: string;
  pushVlan?: string;
  byReference?: boolean;
  accept?: string;
  lease?: string;
  id?: string;
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
  return chooseController(controllerOptions(raw));
}

/** @throws UsageError */
export function controllerOptions(raw: RawMirrorOptions): ControllerOptions {
  const { fifo, config, mac } = raw;
  return { fifo, config, mac, via: viaOf(raw), driver: oneOf('--nic', raw.nic, NIC_DRIVERS) };
}

/** @throws UsageError */
export function viaOf(raw: RawMirrorOptions): Via | undefined {
  return oneOf('--via', raw.via, VIA);
}

/**
 * Whether ports are meant, and not VFs.
 * @throws UsageError when both are named, or another way was asked for
 */
export function meansPorts(raw: RawMirrorOptions): boolean {
  const isPort =
    raw.interface !== undefined || raw.toPort !== undefined || raw.to !== undefined || raw.id !== undefined;
  const isVf = raw.vf !== undefined || raw.pf !== undefined || raw.target !== undefined;
  if (isPort && isVf) {
    throw new UsageError('a mirror is one of ports or one of VFs', {
      hint: 'name ports with -i and --to-port, or VFs with --pf, --vf and --target',
    });
  }
  return isAboutPorts(isPort ? 'port' : isVf ? 'vf' : 'nothing', viaOf(raw));
}

function oneOf<const T extends string>(option: string, text: string | undefined, words: readonly T[]): T | undefined {
  const found = words.find((word) => word === text);
  if (found !== undefined || text === undefined) return found;
  throw new UsageError(`${option}: unknown value ${text}`, { subject: text, hint: `use ${words.join(', ')}` });
}

/**
 * Whether `clear` is about ports: with --all, about whatever this host has mirrors of.
 * @throws UsageError when there are both
 */
export function clearsPorts(raw: RawMirrorOptions, hasAgent: () => boolean): boolean {
  const isNamed = raw.vf !== undefined || raw.pf !== undefined || viaOf(raw) !== undefined;
  if (raw.all !== true || isNamed || meansPorts(raw)) return meansPorts(raw);
  if (!hasAgent() || !hasVfd(controllerOptions(raw))) return hasAgent();
  throw new UsageError('--all: there are mirrors of ports, through an agent, and of VFs, through VFd', {
    hint: 'add --via agent or --via vfd',
  });
}

/** @throws UsageError */
export function requestFrom(raw: RawMirrorOptions): SetRequest {
  return {
    source: parseSource(raw.pf, needVf(raw)),
    direction: parseDirection(needed('--direction', raw.direction)),
    target: parseSelector('--target', needed('--target', raw.target)),
    force: raw.force ?? false,
    byConfig: raw.byConfig ?? false,
  };
}

/** @throws UsageError */
function needed(option: string, text: string | undefined): string {
  if (text !== undefined) return text;
  throw new UsageError(`a mirror of a VF needs ${option}`, { hint: 'dpcap mirror set --help shows all options' });
}

/** @throws UsageError */
export function needVf(raw: RawMirrorOptions): string {
  if (raw.vf !== undefined) return raw.vf;
  throw new UsageError('which port, or which VF?', {
    hint: 'name a port of an application with -i, or add --vf: a number (with --pf), a PCI address or a name',
  });
}

/** Prints a result to standard output, in the form that was asked for. */
export function print(raw: { json?: boolean }, value: unknown, lines: readonly string[]): void {
  process.stdout.write(`${raw.json ? JSON.stringify(value) : lines.join('\n')}\n`);
}
