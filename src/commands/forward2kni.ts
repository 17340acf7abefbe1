/** `dpcap forward2kni PORT on|off|status`: a port's packets on a kernel interface. */
import type { RegisterCommand } from '../cli.js';
import { isSocket } from '../dpvs/identify.js';
import { chooseBackend } from '../forward2kni/backend.js';
import { forwardOnDpvs } from '../forward2kni/dpvs.js';
import { checkRequest, type RawForwardOptions } from '../forward2kni/request.js';
import { forwardToTap } from '../forward2kni/tap.js';
import { findPrimaries } from '../primary/discover.js';
import { systemHost } from '../primary/host.js';
import { runtimeRoot } from '../primary/runtime-dir.js';

export const registerForward2kni: RegisterCommand = (program, context) => {
  program
    .command('forward2kni')
    .description("see a port's packets on a kernel interface; switches DPVS's own forward2kni")
    .argument('<port>', 'name of the port, such as dpdk0')
    .argument('<action>', 'on, off or status')
    .option('--ipc-file <path>', "DPVS's control socket (default: DPVS_IPC_FILE, then where DPVS makes it)")
    .option('--file-prefix <prefix>', 'the primary (default: the only one that runs)')
    .option('--for <duration>', 'switch off again after 30s, 5m, ...; also on Ctrl-C')
    .option('--until-exit', 'stay in the foreground, and switch off on Ctrl-C')
    .option('--force', 'also where it does harm (a VLAN device of DPVS)')
    .option('--json', 'one JSON document a line')
    .action(async (port: string, action: string, raw: RawForwardOptions) => {
      const request = checkRequest(port, action, raw);
      const primaries = () => findPrimaries(runtimeRoot(), systemHost());
      const backend = chooseBackend(request, { env: process.env, primaries, isSocket });
      if (backend.kind === 'tap') {
        context.exitCode = await forwardToTap(request, backend.primary);
        return;
      }
      await forwardOnDpvs(request, backend.sockets, {
        out: (line) => process.stdout.write(`${line}\n`),
        warn: (line) => process.stderr.write(`${line}\n`),
      });
    });
};
