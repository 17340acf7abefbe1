/** `dpcap forward2kni PORT on|off|status` shows a port's packets on a kernel interface. */

import { findAgents, withUnseen } from '../../agent/find.js';
import { isSocket } from '../../dpvs/identify.js';
import { UsageError } from '../../errors.js';
import { chooseBackend } from '../../forward2kni/backend.js';
import { forwardOnDpvs } from '../../forward2kni/dpvs.js';
import { checkRequest, type RawForwardOptions } from '../../forward2kni/request.js';
import { forwardToTap } from '../../forward2kni/tap.js';
import { forwardToVirtioUser } from '../../forward2kni/virtio-user.js';
import { findPrimaries } from '../../primary/discover.js';
import { systemHost } from '../../primary/host.js';
import { runtimeRoot } from '../../primary/runtime-dir.js';
import { diagnostics } from '../../system/diagnostics.js';
import type { RegisterCommand } from '../command.js';
import { addFilterOptions, type RawFilterOptions, readFilter } from '../filter-options.js';
import { addLibrariesOption } from '../libraries-option.js';
import { checkTapOptions, type RawTapOptions } from '../output/tap-options.js';

type RawOptions = RawForwardOptions & RawFilterOptions & RawTapOptions;

export const registerForward2kni: RegisterCommand = (program, context) => {
  const command = program
    .command('forward2kni')
    .description("Forward a port's packets to a kernel interface, or switch DPVS's own forward2kni.")
    .argument('<port>', 'Id or name of the port, such as 0 or dpdk0.')
    .argument('<action>', 'What to do: on, off or status.')
    .argument('[expression...]', "Expression of pcap-filter(7). DPVS's own switch has none.")
    .option('--ipc-file <path>', "Path of DPVS's control socket. Default: DPVS_IPC_FILE, then where DPVS makes it.")
    .option('--file-prefix <prefix>', 'Prefix of the primary. Default: the only one that runs.')
    .option(
      '--via <way>',
      "Way to forward. dpvs: DPVS's own switch (the default with a DPVS). tap: an interface of dpcap. virtio-user: a port that is added to the application.",
    )
    .option('--for <duration>', 'Switch off again after this time (30s, 5m, 2h, 30d), or on Ctrl-C.')
    .option('--until-exit', 'Stay in the foreground, and switch off on Ctrl-C.')
    .option('--force', 'Go on also where it does harm (a VLAN device of DPVS).')
    .option('--json', 'Print one JSON document a line.')
    .option('--name <interface>', 'Name of the interface. Default: the name of the port and .kni.')
    .option('--netns <namespace>', 'Make the interface in this network namespace.')
    .option('--split <by>', 'Make several interfaces. direction: one for rx, one for tx.')
    .option('--max-rate <n>', 'Most packets a second that the interface gets. The rest is counted as sinkdrop.')
    .option('-Q, --direction <direction>', 'Direction to forward: rx, tx or both. Default: both.')
    .option(
      '--threads <n>',
      'Number of threads that write to the interface. Default: one for each rx queue where there are cores.',
    )
    .option('-B, --buffer-size <kib>', "Memory for copies, in the primary's huge pages.")
    .option(
      '--capture-via <backend>',
      'How to get packets: agent, pdump, auto or ebpf, as --via of a capture. Default: auto.',
    )
    .option('--probe-budget <percent>', 'With --capture-via ebpf: see dpcap --help. Default: 50.')
    .option('--detach', 'Go on in the background.');
  addLibrariesOption(command);
  addFilterOptions(command);
  command.action(async (port: string, action: string, words: string[], raw: RawOptions) => {
    const request = checkRequest(port, action, raw);
    const primaries = () => withUnseen(findPrimaries(runtimeRoot(), systemHost()), findAgents(runtimeRoot()));
    const backend = chooseBackend(request, { env: process.env, primaries, isSocket });
    if (backend.kind !== 'dpvs') {
      const isVirtioUser = backend.kind === 'virtio-user' && request.action === 'on';
      const forward = isVirtioUser ? forwardToVirtioUser : forwardToTap;
      context.exitCode = await forward(request, backend.primary, checkTapOptions(raw, readFilter(words, raw)));
      return;
    }
    refuseTapChoices(words, raw);
    process.stdout.on('error', () => {}); // a reader that has gone must not prevent switching off
    await forwardOnDpvs(request, backend, primaries, {
      out: (line) => process.stdout.write(`${line}\n`),
      warn: (line) => diagnostics.write(`${line}\n`),
    });
  });
};

/** The options that go with DPVS's own forward2kni, which copies whole ports. */
const DPVS_OPTIONS = new Set(['ipcFile', 'filePrefix', 'via', 'for', 'untilExit', 'force', 'json']);

/** @throws UsageError rather than ignore what was asked for */
function refuseTapChoices(words: string[], raw: RawOptions): void {
  const foreign = Object.entries(raw).find(([name, value]) => value !== undefined && !DPVS_OPTIONS.has(name))?.[0];
  if (words.length === 0 && foreign === undefined) return;
  const what =
    words.length > 0 ? 'a filter' : `--${foreign?.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
  throw new UsageError(`forward2kni: ${what} does not go with DPVS, which copies all packets of the port`, {
    subject: words.join(' ') || foreign,
    hint: 'leave it out and filter where you look (tcpdump -i dpdk0.kni EXPRESSION), or use an interface of dpcap: --via tap',
  });
}
