/** Turns the raw options of `dpcap mirror set --hardware` into a request. */
import type { Command } from 'commander';
import { UsageError } from '../../../../errors.js';
import { parseQueue } from '../../../../mirror/agent/request.js';
import {
  type Destination,
  type HardwareRequest,
  parseFate,
  parseRatio,
  parseVf,
} from '../../../../mirror/hardware/request.js';
import { patternsOf } from '../../../../mirror/hardware/words.js';
import type { RawMirrorOptions } from '../options.js';

/** Options as commander hands them over. */
export interface RawHardwareOptions extends RawMirrorOptions {
  hardware?: boolean;
  fate?: string;
  ratio?: string;
  count?: boolean;
  dryRun?: boolean;
}

/** Adds the options that only mirrors in hardware have. */
export function addHardwareOptions(command: Command): Command {
  return command
    .option('--hardware', "Have the port's NIC copy the packets, by flow rules (rte_flow). See docs/mirrors.md.")
    .option(
      '--fate <fate>',
      'What becomes of the originals of --hardware: jump:GROUP, queue:N, port:N or drop. There is no default.',
    )
    .option('--ratio <n>', 'With --hardware, copy one packet in n. Default: 1, which is all.')
    .option('--count', 'With --hardware, have the NIC count what matches.')
    .option('--dry-run', 'With --hardware, print the rules and ask the driver whether it takes them; change nothing.');
}

/** What the software mirrors have, and flow rules have not: [key, option, what to do]. */
const FOREIGN: readonly [keyof RawHardwareOptions, string, string][] = [
  ['snapshotLength', '-s', 'a NIC copies whole packets'],
  ['pushVlan', '--push-vlan', 'leave it away'],
  ['byReference', '--by-reference', 'the NIC makes the copies'],
  ['accept', '--accept', 'leave it away'],
  ['inner', '--inner', 'select by the outer headers'],
  ['innerDepth', '--inner-depth', 'select by the outer headers'],
  ['filter', '--filter', 'write it with --host, --port and the other words'],
  ['expression', '-f', 'write it with --host, --port and the other words'],
  ['to', '--to', 'a NIC copies to ports and queues'],
  ['outPort', '--out-port', 'leave it away'],
  ['nextHop', '--next-hop', 'leave it away'],
  ['target', '--target', 'name the port with --to-port'],
  ['pf', '--pf', 'name the port of the PF with -i'],
  ['byConfig', '--by-config', 'leave it away'],
];
const OWN: readonly [keyof RawHardwareOptions, string][] = [
  ['fate', '--fate'],
  ['ratio', '--ratio'],
  ['count', '--count'],
  ['dryRun', '--dry-run'],
];

/** Refuses the options of --hardware without it. @throws UsageError */
export function refuseWithoutHardware(raw: RawHardwareOptions): void {
  const [, option] = OWN.find(([key]) => raw[key] !== undefined) ?? [];
  if (option === undefined) return;
  throw new UsageError(`${option} is about mirrors in hardware`, {
    subject: option,
    hint: 'add --hardware, or leave it away',
  });
}

/** @throws UsageError with what to write instead */
export function hardwareRequestFrom(words: readonly string[], raw: RawHardwareOptions): HardwareRequest {
  const [, option, hint] = FOREIGN.find(([key]) => raw[key] !== undefined) ?? [];
  if (option !== undefined) throw new UsageError(`${option} with --hardware`, { subject: option, hint });
  refuseOtherDirections(raw.direction);
  const { host, srcHost, dstHost, net, proto, port, srcPort, dstPort, vlan, vf, ratio } = raw;
  return {
    source: onePort(raw),
    vf: vf === undefined ? undefined : parseVf(vf),
    copy: copyFrom(raw),
    fate: fateFrom(raw.fate),
    ratio: ratio === undefined ? 1 : parseRatio(ratio),
    counts: raw.count ?? false,
    patterns: patternsOf({
      ...{ host, srcHost, dstHost, net, proto, port, srcPort, dstPort, vlan },
      expression: words.join(' '),
    }),
  };
}

function refuseOtherDirections(direction: string | undefined): void {
  if (direction === undefined || direction === 'rx') return;
  throw new UsageError(`-Q ${direction} with --hardware: flow rules are about what the port receives`, {
    subject: direction,
    hint: 'leave -Q away; what a VF sends is what its representor receives: name that with -i, or with --vf',
  });
}

function onePort({ interface: ports = [] }: RawHardwareOptions): string {
  const [only, second] = ports;
  if (only !== undefined && second === undefined) return only;
  throw new UsageError(only === undefined ? 'a mirror in hardware needs -i' : '-i is given twice', {
    subject: second,
    hint: 'name one port: dpcap mirror set -i 0 --hardware --host 192.0.2.1 --to-port 1 --fate jump:1 --until-exit',
  });
}

function copyFrom({ toPort, toQueue }: RawHardwareOptions): Destination {
  if (toPort !== undefined && toQueue === undefined) return { kind: 'port', port: toPort };
  if (toQueue !== undefined && toPort === undefined) return { kind: 'queue', queue: parseQueue(toQueue) };
  throw new UsageError(toPort === undefined ? 'where do the copies go?' : '--to-port and --to-queue with --hardware', {
    subject: toPort === undefined ? undefined : '--to-queue',
    hint: 'give --to-port N, or --to-queue N for a receive queue of the same port',
  });
}

function fateFrom(text: string | undefined): Destination {
  if (text !== undefined) return parseFate(text);
  throw new UsageError('what becomes of the originals?', {
    subject: '--fate',
    hint: "a rule that copies packets also decides where they go, in place of the application's own rules: say --fate jump:GROUP, queue:N, port:N or drop",
  });
}
