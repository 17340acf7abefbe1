/** `dpcap mirror` turns options into requests and outcomes into words. It knows controllers only by their interface. */
import type { Command } from 'commander';
import { DpcapError } from '../../../errors.js';
import { VIA } from '../../../mirror/choose.js';
import { planLines } from '../../../mirror/describe.js';
import { NIC_DRIVERS } from '../../../mirror/nic.js';
import type { RegisterCommand } from '../../command.js';
import { addFilterOptions, collect } from '../../filter-options.js';
import { addByHand, printByHand } from './by-hand.js';
import { clearMirrors } from './clear.js';
import { setLoopback } from './hardware/loopback.js';
import { addHardwareOptions, type RawHardwareOptions, refuseWithoutHardware } from './hardware/options.js';
import { setHardwareMirror } from './hardware/set.js';
import { listMirrors, showCapabilities, showStatus } from './list.js';
import { clearsPorts, controllerFor, meansPorts, print, type RawMirrorOptions, requestFrom } from './options.js';
import { agentControllers, clearPortMirrors } from './port-list.js';
import { setPortMirror } from './port-set.js';
import { setMirror } from './set.js';

export const registerMirror: RegisterCommand = (program, context) => {
  const mirror = program
    .command('mirror')
    .description(
      "Copy a port's packets to another port of the application or to another host, or a VF's traffic to another VF.",
    );
  addSet(mirror.command('set').description('Switch a mirror on.')).action(
    async (words: string[], raw: RawHardwareOptions) => {
      if (raw.hardware) return setHardwareMirror(words, raw);
      refuseWithoutHardware(raw);
      if (meansPorts(raw)) return setPortMirror(words, raw);
      context.exitCode = await setMirror(controllerFor(raw), requestFrom(raw), raw);
    },
  );
  addSubject(mirror.command('clear').description('Switch a mirror off. One that is off is no error.'))
    .option('--all', 'Clear all mirrors.')
    .option('--by-config', "Go through the VF's configuration, which interrupts its traffic.")
    .option('-y, --yes', 'Do not ask for confirmation.')
    .action(async (raw: RawMirrorOptions) =>
      clearsPorts(raw, () => agentControllers(raw.filePrefix).length > 0)
        ? clearPortMirrors(raw)
        : clearMirrors(controllerFor(raw), raw),
    );
  addSubject(mirror.command('list').description('List the mirrors that are on, or those of one port or VF.')).action(
    listMirrors,
  );
  addSubject(
    mirror.command('status').description('Tell what became of the packets of each mirror, or of one, and what ended.'),
  ).action(showStatus);
  addCommon(mirror.command('capabilities').description('Tell what can be mirrored here, and how.')).action(
    showCapabilities,
  );
  addCommon(mirror.command('loopback').description("Keep what a port's VFs send each other in the NIC, or not."))
    .argument('<state>', 'on or off.')
    .requiredOption('-i, --interface <port>', 'Port of the PF: its number or device name.', collect)
    .action(setLoopback);
  addByHand(
    mirror
      .command('by-hand')
      .description('Print the commands of testpmd, tc or ip for a mirror, checked where they can be.'),
  ).action(printByHand);
  addPlan(mirror.command('plan').description('Print the commands for a mirror, and change nothing.')).action(plan);
};

function addCommon(command: Command): Command {
  return command
    .option(
      '--via <controller>',
      `Controller to use: ${VIA.join(', ')}. Default: by what is named and what the host offers.`,
    )
    .option('--file-prefix <prefix>', 'Prefix of the application with the agent. Default: the only one.')
    .option('--fifo <path>', "Path of VFd's request FIFO.")
    .option('--config <file>', "Path of VFd's configuration. Default: /etc/vfd/vfd.cfg.")
    .option('--json', 'Print one JSON document.');
}

function addVf(command: Command): Command {
  return addCommon(command)
    .option(
      '--pf <pf>',
      'PF of the VF: its number as VFd shows it, its PCI address, or the name of a VF configuration on it.',
    )
    .option('--vf <vf>', 'VF to copy: its number, PCI address or the name of its configuration.');
}

function addSubject(command: Command): Command {
  return addVf(command)
    .option('-i, --interface <port>', 'Port to copy: its number or device name.', collect)
    .option('--to-port <port>', 'Port that gets the copies.')
    .option('--id <id>', 'Mirror of a port, by its id.');
}

function addSet(command: Command): Command {
  addVf(command)
    .argument('[expression...]', 'Expression of pcap-filter(7): what is copied of a port. Default: all.')
    .option('-i, --interface <port>', 'Port to copy: its number or device name.', collect)
    .option('--to-port <port>', 'Port that gets the copies.')
    .option('--to <url>', 'Collector on another host that gets the copies: erspan://ADDR?id=N&src=ADDR, vxlan, gretap.')
    .option('--out-port <port>', 'With --to, port of the application that the packets leave by.')
    .option('--next-hop <hop>', 'With --to, MAC address of the next hop, or address of the router. Default: learnt.')
    .option(
      '--to-queue <n>',
      'Transmit queue of --to-port or --out-port, on which the application does not send. Default: the last one.',
    )
    .option(
      '-Q, --direction <direction>',
      'Of a port: rx, tx or both (the default). Of a VF, as the guest sees it: in, out or all.',
    )
    .option('-s, --snapshot-length <bytes>', 'Bytes of each packet to copy. Default: all.')
    .option('--push-vlan <id>', 'Push this VLAN tag onto the copies; 100:5 also has a priority.')
    .option('--by-reference', 'Send the same mbuf instead of a copy. See docs/mirrors.md.')
    .option('--accept <dangers>', 'Dangers of --by-reference to accept, by name.')
    .option(
      '--lease <duration>',
      'End the mirror when nothing is heard of dpcap for so long. Default, while dpcap runs: 10s.',
    )
    .option('--target <vf>', 'VF that gets the copies, on the same PF.')
    .option('--for <duration>', 'Clear the mirror after this time: 30s, 5m, 2h, 7d.')
    .option('--until-exit', 'Clear the mirror on Ctrl-C.')
    .option('--by-config', "Go through the VF's configuration, which interrupts its traffic.")
    .option('-y, --yes', 'Do not ask for confirmation.')
    .option('--force', 'Go on where the result is doubtful, but never where VFd would be harmed.');
  addFilterOptions(command);
  return addHardwareOptions(command);
}

function addPlan(command: Command): Command {
  return addVf(command)
    .requiredOption('--direction <direction>', "from the guest's view: in, out or all")
    .requiredOption('--target <vf>', 'the VF that gets the copies, on the same PF')
    .option('--nic <driver>', `Driver of the NIC: ${NIC_DRIVERS.join(', ')}. Default: by its PCI id.`)
    .option('--mac <mac>', 'MAC address of the guest.');
}

async function plan(raw: RawMirrorOptions): Promise<void> {
  const outcome = await controllerFor({ ...raw, via: 'plan' }).set(requestFrom(raw), () => undefined);
  if (outcome.effect !== 'planned') throw new DpcapError('ERR_SYSTEM', 'not a plan'); // not reached
  print(raw, outcome, planLines(outcome.steps, outcome.notes));
}
