/** `dpcap mirror by-hand`: prints the commands that do without dpcap what it does, and checks those that can be checked. */
import type { Command } from 'commander';
import { asDpcapError, UsageError } from '../../../errors.js';
import { parseAddress } from '../../../filter/words/word-values.js';
import { mirroringApplication } from '../../../mirror/agent/application.js';
import { AgentController } from '../../../mirror/agent/controller.js';
import { parseTunnelRequest, type TunnelRequest } from '../../../mirror/agent/tunnel.js';
import { hardwareStep, parseDevice, softwareStep, tcStep } from '../../../mirror/by-hand/commands.js';
import { checkDevices, tryStep } from '../../../mirror/by-hand/trial.js';
import {
  checkTunnelId,
  deviceTunnelStep,
  parseErspanVersion,
  parseTunnel,
  portTunnelStep,
  receiverStep,
  TUNNEL_DEVICE,
} from '../../../mirror/by-hand/tunnel.js';
import type { PlanStep } from '../../../mirror/controller.js';
import { planLines } from '../../../mirror/describe.js';
import { HardwareController } from '../../../mirror/hardware/controller.js';
import { parseNumber } from '../../../mirror/hardware/request.js';
import { addFilterOptions, collect } from '../../filter-options.js';
import { addHardwareOptions, hardwareRequestFrom, type RawHardwareOptions } from './hardware/options.js';
import { print } from './options.js';
import { tunnelFrom } from './tunnel-options.js';

/** Options as commander hands them over. */
export interface RawByHandOptions extends RawHardwareOptions {
  dev?: string;
  toDev?: string;
  to?: string;
  outPort?: string;
  nextHop?: string;
  switchdev?: boolean;
  receive?: string;
  local?: string;
  remote?: string;
  tunnelId?: string;
  version?: string;
}

const MOST_ID = 2 ** 32 - 1;

/** Adds the options of `by-hand`. */
export function addByHand(command: Command): Command {
  command
    .argument('[expression...]', 'With --hardware, what is copied, as for `mirror set --hardware`.')
    .option('-i, --interface <port>', 'Port to copy: its number or device name.', collect)
    .option('--to-port <port>', 'Port that gets the copies.')
    .option('--to-queue <n>', 'With --hardware, receive queue that gets the copies.')
    .option('--vf <vf>', 'With --hardware, VF of the port to copy.')
    .option('--to <tunnel>', 'Tunnel that gets the copies: erspan://, vxlan:// or gretap://, with src=ADDRESS.')
    .option('--out-port <port>', 'With -i and --to, port that the tunnel leaves by.')
    .option('--next-hop <address>', 'With -i and --to, MAC or IP address of the router to the collector.')
    .option('--dev <interface>', 'Kernel interface to copy, for tc.')
    .option('--to-dev <interface>', 'Kernel interface that gets the copies, for tc.')
    .option('--switchdev', 'With --dev, have the NIC do it: both are representors in switchdev mode.')
    .option('--receive <tunnel>', 'Receive at a collector what is mirrored off a host: vxlan, gretap, erspan.')
    .option('--local <address>', "With --receive, the collector's address.")
    .option('--remote <address>', "With --receive, the sender's address.")
    .option('--tunnel-id <n>', 'With --receive, the id in the tunnel. Default: 0.')
    .option('--version <n>', 'With --receive erspan, its version: 2 or 3. Default: 3, without the subheader.')
    .option('--file-prefix <prefix>', 'Prefix of the application with the agent. Default: the only one.')
    .option('--json', 'Print one JSON document.');
  addFilterOptions(command);
  return addHardwareOptions(command);
}

/** @throws UsageError; DpcapError when --hardware finds no application whose ports the rules are about */
export function printByHand(words: readonly string[], raw: RawByHandOptions): void {
  const step = stepFor(words, raw);
  print(raw, { effect: 'planned', steps: [step] }, planLines([step], ['nothing was changed']));
}

function stepFor(words: readonly string[], raw: RawByHandOptions): PlanStep {
  if (raw.receive !== undefined) return receiver(raw.receive, raw);
  if (raw.dev !== undefined)
    return raw.to === undefined ? betweenInterfaces(raw.dev, raw) : offHost(raw.dev, raw.to, raw);
  if (raw.hardware) return rules(words, raw);
  const [source] = raw.interface ?? [];
  if (source !== undefined && raw.to !== undefined) return outOfPort(source, raw.to, raw);
  if (source !== undefined && raw.toPort !== undefined) return softwareStep(source, raw.toPort);
  throw new UsageError('by hand: what?', {
    hint: 'name ports with -i and --to-port (and --hardware), interfaces with --dev and --to-dev, a tunnel with --to in their place, or one to receive with --receive; dpcap mirror plan is about VFs',
  });
}

function rules(words: readonly string[], raw: RawByHandOptions): PlanStep {
  const request = hardwareRequestFrom(words, raw);
  const controller = new HardwareController(mirroringApplication(raw.filePrefix));
  const flow = controller.resolve(request);
  return withNotes(hardwareStep(flow), [askDriver(() => controller.validate(flow, AgentController.newId()))]);
}

/** A refusal is what was asked for, as much as consent is. */
function askDriver(ask: () => unknown): string {
  try {
    ask();
    return "checked: the port's driver would take the rules";
  } catch (error) {
    return `checked, and REFUSED: ${asDpcapError(error).message}`;
  }
}

function betweenInterfaces(dev: string, raw: RawByHandOptions): PlanStep {
  if (raw.toDev === undefined) {
    throw new UsageError('--dev without --to-dev', { hint: 'name the interface that gets the copies' });
  }
  const [source, target] = [parseDevice('--dev', dev), parseDevice('--to-dev', raw.toDev)];
  if (source === target) {
    throw new UsageError(`the target is the source: ${source}`, { subject: source, hint: 'give another --to-dev' });
  }
  const isOffloaded = raw.switchdev ?? false;
  const step = tcStep({ source, target, isOffloaded });
  // A dummy interface has no NIC behind it, which skip_sw demands.
  const verdict = isOffloaded
    ? 'not checked: whether the NIC takes the filter shows when it is entered; where it does not, tc says so'
    : tryStep(step, [source, target]);
  return withNotes(step, [...checkDevices([source, target]), verdict]);
}

function outOfPort(source: string, url: string, raw: RawByHandOptions): PlanStep {
  const asked = tunnelFrom(raw) as { target: string; tunnel: TunnelRequest };
  return portTunnelStep({ source, url, tunnel: asked.tunnel, outPort: asked.target, nextHop: raw.nextHop });
}

function offHost(dev: string, url: string, raw: RawByHandOptions): PlanStep {
  for (const [option, given] of Object.entries({
    '--to-dev': raw.toDev,
    '--out-port': raw.outPort,
    '--next-hop': raw.nextHop,
  })) {
    if (given !== undefined)
      throw new UsageError(`${option} with --dev and --to`, {
        subject: option,
        hint: 'the kernel finds the way to a collector itself',
      });
  }
  const source = parseDevice('--dev', dev);
  const step = deviceTunnelStep(source, parseTunnelRequest(url, undefined).plan);
  return withNotes(step, [
    ...checkDevices([source]),
    ...tunnelDeviceTaken(),
    tryStep(step, [source, source === 'peer' ? 'other' : 'peer']),
  ]);
}

function receiver(text: string, raw: RawByHandOptions): PlanStep {
  const kind = parseTunnel(text);
  if (raw.local === undefined) {
    throw new UsageError('--receive without --local', { hint: "give the collector's own address, to which is sent" });
  }
  const local = parseAddress('--local', raw.local);
  const remote = raw.remote === undefined ? undefined : parseAddress('--remote', raw.remote);
  const id = checkTunnelId(kind, parseNumber('--tunnel-id', raw.tunnelId ?? '0', 0, MOST_ID));
  const version = parseErspanVersion(kind, raw.version);
  if (remote !== undefined && remote.family !== local.family) {
    throw new UsageError(`--remote ${remote.text} is of another IP version than --local ${local.text}`, {
      subject: remote.text,
      hint: 'give two IPv4 or two IPv6 addresses',
    });
  }
  const step = receiverStep({ kind, local: local.text, remote: remote?.text, id, version });
  return withNotes(step, [...tunnelDeviceTaken(), tryStep(step)]);
}

function tunnelDeviceTaken(): string[] {
  const [isThere] = checkDevices([TUNNEL_DEVICE]);
  return isThere?.endsWith('is there') ? [`${TUNNEL_DEVICE} is there already: take another name`] : [];
}

function withNotes(step: PlanStep, notes: readonly string[]): PlanStep {
  return { ...step, notes: [...step.notes, ...notes] };
}
