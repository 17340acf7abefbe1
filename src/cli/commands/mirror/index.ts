/** `dpcap mirror` turns options into requests and outcomes into words. It knows controllers only by their interface. */
import type { Command } from 'commander';
import { DpcapError, UsageError } from '../../../errors.js';
import { VIA } from '../../../mirror/choose.js';
import { capabilityLines, mirrorLine, planLines, statusLines } from '../../../mirror/describe.js';
import { NIC_DRIVERS } from '../../../mirror/nic.js';
import { parseSource } from '../../../mirror/target-spec.js';
import type { RegisterCommand } from '../../command.js';
import { clearMirrors } from './clear.js';
import { controllerFor, print, type RawMirrorOptions, requestFrom } from './options.js';
import { setMirror } from './set.js';

export const registerMirror: RegisterCommand = (program, context) => {
  const mirror = program
    .command('mirror')
    .description("Copy a VF's traffic to another VF, through the primary that owns the PF.");
  addSet(mirror.command('set').description('Switch a mirror on.')).action(async (raw: RawMirrorOptions) => {
    context.exitCode = await setMirror(controllerFor(raw), requestFrom(raw), raw);
  });
  addSource(mirror.command('clear').description('Switch a mirror off. A VF without one is no error.'))
    .option('--all', 'Clear all mirrors.')
    .option('--by-config', "Go through the VF's configuration, which interrupts its traffic.")
    .option('-y, --yes', 'Do not ask for confirmation.')
    .action(async (raw: RawMirrorOptions) => clearMirrors(controllerFor(raw), raw));
  addSource(mirror.command('list').description('List the mirrors that are on, or that of one VF.')).action(list);
  addCommon(mirror.command('capabilities').description('Tell what can be mirrored here, and how.')).action(
    capabilities,
  );
  addPlan(mirror.command('plan').description('Print the commands for a mirror, and change nothing.')).action(plan);
};

function addCommon(command: Command): Command {
  return command
    .option('--via <controller>', `Controller to use: ${VIA.join(' or ')}. Default: what the host offers.`)
    .option('--fifo <path>', "Path of VFd's request FIFO.")
    .option('--config <file>', "Path of VFd's configuration. Default: /etc/vfd/vfd.cfg.")
    .option('--json', 'Print one JSON document.');
}

function addSource(command: Command): Command {
  return addCommon(command)
    .option(
      '--pf <pf>',
      'PF of the VF: its number as VFd shows it, its PCI address, or the name of a VF configuration on it.',
    )
    .option('--vf <vf>', 'VF to copy: its number, PCI address or the name of its configuration.');
}

function addMirror(command: Command): Command {
  return addSource(command)
    .requiredOption('--direction <direction>', "from the guest's view: in, out or all")
    .requiredOption('--target <vf>', 'the VF that gets the copies, on the same PF');
}

function addSet(command: Command): Command {
  return addMirror(command)
    .option('--for <duration>', 'Clear the mirror after this time: 30s, 5m, 2h, 7d.')
    .option('--until-exit', 'Clear the mirror on Ctrl-C.')
    .option('--by-config', "Go through the VF's configuration, which interrupts its traffic.")
    .option('-y, --yes', 'Do not ask for confirmation.')
    .option('--force', 'Go on where the result is doubtful, but never where VFd would be harmed.');
}

function addPlan(command: Command): Command {
  return addMirror(command)
    .option('--nic <driver>', `Driver of the NIC: ${NIC_DRIVERS.join(', ')}. Default: by its PCI id.`)
    .option('--mac <mac>', 'MAC address of the guest.');
}

async function list(raw: RawMirrorOptions): Promise<void> {
  const controller = controllerFor(raw);
  if (raw.vf !== undefined) {
    const { source, mirror } = await controller.status(parseSource(raw.pf, raw.vf));
    print(raw, { ...source, mirror: mirror ?? null }, statusLines(source, mirror));
    return;
  }
  if (raw.pf !== undefined) throw new UsageError('--pf without --vf', { hint: 'add --vf, or leave --pf out' });
  const mirrors = await controller.list();
  print(raw, { mirrors }, mirrors.length > 0 ? mirrors.map(mirrorLine) : ['no mirror is on']);
}

async function capabilities(raw: RawMirrorOptions): Promise<void> {
  const found = await controllerFor(raw).capabilities();
  print(raw, found, capabilityLines(found));
}

async function plan(raw: RawMirrorOptions): Promise<void> {
  const outcome = await controllerFor({ ...raw, via: 'plan' }).set(requestFrom(raw), () => undefined);
  if (outcome.effect !== 'planned') throw new DpcapError('ERR_SYSTEM', 'not a plan'); // not reached
  print(raw, outcome, planLines(outcome.steps, outcome.notes));
}
