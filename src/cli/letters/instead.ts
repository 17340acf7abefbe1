/** What to write instead of letters that other programs of this kind have, and dpcap has not. */
import type { Command } from 'commander';

const INSTEAD: Readonly<Record<string, string>> = {
  I: 'there is no monitor mode: a port of DPDK is no Wi-Fi card',
  P: 'pcap is the default format; -F pcap says so in any case',
  k: 'there is no metadata of processes to print',
  R: '-R was a display filter: print with dpcap -w - ... | tshark -r - -Y FILTER',
  Y: "display filters are tshark's: dpcap -w - ... | tshark -r - -Y FILTER",
  o: "preferences are tshark's: dpcap -w - ... | tshark -r - -o NAME:VALUE",
  '--monitor-mode': 'there is no monitor mode: a port of DPDK is no Wi-Fi card',
  '--lcore': 'dpcap takes no core of the application; --threads says how many threads drain packets',
  '--ifname': 'pcapng has the name of each port already; --interface is -i',
  '--ifdescr': 'pcapng describes each port already (driver, MAC, host); --capture-comment says more',
  '--temp-dir': 'there are no temporary files: a file is written beside its own name, so choose the directory with -w',
  '--print-sampling': 'every packet is printed; -c N prints N of them, --count with -r their number alone',
};

/** The hint for commander's own words about an unknown option; undefined for other words. Pure. */
export function insteadOf(complaint: string): string | undefined {
  const [, long, letter] = /unknown option '(?:(--[\w-]+)|-(.))/.exec(complaint) ?? [];
  return INSTEAD[long ?? letter ?? ''];
}

/** Has a command say what to write instead. */
export function explainUnknownLetters(command: Command): void {
  command.configureOutput({
    ...command.configureOutput(),
    outputError: (complaint, write) => {
      const hint = insteadOf(complaint);
      write(hint === undefined ? complaint : `${complaint}  ${hint}\n`);
    },
  });
}
