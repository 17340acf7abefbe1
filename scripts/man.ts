/** Prints dpcap's man page, made from the help of its commands: `node dist/scripts/man.js > dpcap.1`. */
import type { Command, Option } from 'commander';
import { createProgram } from '../src/cli/program.js';

/** The words as man pages need them: a dash and a backslash mean themselves. */
const roff = (text: string): string => text.replace(/\\/g, '\\e').replace(/-/g, '\\-').replace(/^\./gm, '\\&.');

function listed(options: readonly Option[]): string {
  return options.map(({ flags, description }) => `.TP\n.B ${roff(flags)}\n${roff(description)}`).join('\n');
}

function section(command: Command, path: string): string {
  const own = [`.SS ${roff(path)} ${roff(command.usage())}`, roff(command.description()), listed(command.options)].join(
    '\n',
  );
  return [own, ...command.commands.map((one) => section(one, `${path} ${one.name()}`))].join('\n');
}

const program = await createProgram(['--help'], { exitCode: 0, isJson: false });
process.stdout.write(`.TH DPCAP 1 "" "dpcap ${program.version()}" "User Commands"
.SH NAME
dpcap \\- tcpdump for DPDK applications
.SH SYNOPSIS
.B dpcap
[\\fIcommand\\fR] [\\fIoptions\\fR] [\\fIexpression\\fR...]
.SH DESCRIPTION
dpcap attaches to a running DPDK application, applies a filter there, and writes the packets that match to a pcap or
pcapng file, to a pipe, to a kernel interface, or through a tunnel to a collector on another host. It never owns a port, and leaves the application as it was. Without a
command it captures, and without
.B \\-w
it prints the packets.
.SH COMMANDS
${program.commands.map((command) => section(command, `dpcap ${command.name()}`)).join('\n')}
.SH OPTIONS OF ALL COMMANDS
${listed(program.createHelp().visibleOptions(program))}
.SH SIGNALS
.TP
.B SIGINT, SIGTERM, SIGHUP
End a capture in order: packets that are on their way are written, and the file gets its name. A second one, a second or
more after the first, gives up waiting. SIGHUP and SIGTERM that were ignored at the start, as by nohup, stay so.
.TP
.B SIGUSR1
Prints the counters of this moment on standard error.
.TP
.B SIGUSR2
Flushes: without it, packets are in the file within 20 ms, or within a second where it is compressed.
.SH FILES
.TP
.I /etc/dpcap/config.json, ~/.config/dpcap/config.json
Defaults for options: a JSON object with the names of commands, and in each the long names of its options, without
dashes. The second one holds before the first, and the command line before both;
.B dpcap config
shows them.
.SH ENVIRONMENT
.TP
.B DPCAP_CONFIG
Names one file with defaults instead of these two; empty for none.
.SH EXIT STATUS
0: it was stopped as asked. 1: it failed. 2: it was used in a wrong way.
.SH EXAMPLES
.nf
dpcap list
dpcap \\-i 0 tcp port 443
dpcap \\-i any \\-w all.pcapng \\-a duration:1m
dpcap \\-i 0 \\-w 'erspan://192.0.2.9?id=5' tcp port 443
dpcap \\-i 0 \\-w \\- host 10.0.0.1 | wireshark \\-k \\-i \\-
.fi
.SH SEE ALSO
tcpdump(8), pcap\\-filter(7), dumpcap(1)
`);
