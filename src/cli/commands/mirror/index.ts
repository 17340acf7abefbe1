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
    .description("copy a VF's traffic to another VF, through the primary that owns the PF");
  addSet(mirror.command('set').description('switch a mirror on')).action(async (raw: RawMirrorOptions) => {
    context.exitCode = await setMirror(controllerFor(raw), requestFrom(raw), raw);
  });
  addSource(mirror.command('clear').description('switch a mirror off; a VF without one is no error'))
    .option('--all', 'all mirrors')
    .option('--by-config', "through the VF's configuration; interrupts its traffic")
    .option('-y, --yes', 'do not ask')
    .action(async (raw: RawMirrorOptions) => clearMirrors(controllerFor(raw), raw));
  addSource(mirror.command('list').description('the mirrors that are on, or one VF')).action(list);
  addCommon(mirror.command('capabilities').description('what can be mirrored here, and how')).action(capabilities);
  addPlan(mirror.command('plan').description('print the commands for a mirror; changes nothing')).action(plan);
};

function addCommon(command: Command): Command {
  return command
    .option('--via <controller>', `${VIA.join(' or ')} (default: what the host offers)`)
    .option('--fifo <path>', "VFd's request FIFO")
    .option('--config <file>', "VFd's configuration (default: /etc/vfd/vfd.cfg)")
    .option('--json', 'one JSON document');
}

function addSource(command: Command): Command {
  return addCommon(command)
    .option('--pf <pf>', 'number (as VFd shows it), PCI address, or name of a VF configuration on it')
    .option('--vf <vf>', 'number, PCI address or name of its configuration');
}

function addMirror(command: Command): Command {
  return addSource(command)
    .requiredOption('--direction <direction>', "from the guest's view: in, out or all")
    .requiredOption('--target <vf>', 'the VF that gets the copies, on the same PF');
}

function addSet(command: Command): Command {
  return addMirror(command)
    .option('--for <duration>', 'clear it after 30s, 5m, 2h, 7d')
    .option('--until-exit', 'clear it on Ctrl-C')
    .option('--by-config', "through the VF's configuration; interrupts its traffic")
    .option('-y, --yes', 'do not ask')
    .option('--force', 'where the result is doubtful; never where VFd would be harmed');
}

function addPlan(command: Command): Command {
  return addMirror(command)
    .option('--nic <driver>', `${NIC_DRIVERS.join(', ')} (default: by the PCI id)`)
    .option('--mac <mac>', "the guest's MAC");
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
