/**
 * `--dpdk-libs`, the same for every command that joins a primary or judges whether it can be joined. (`dpcap pdump` has the
 * options of dpdk-pdump: there the environment variable does it.)
 */
import type { Command } from 'commander';

/** Adds the option; createProgram() reads it. */
export function addLibrariesOption(command: Command): Command {
  const text =
    "Folder with the libraries of the primary's release of DPDK. Default: this system's, else those that the primary uses.";
  return command.option('--dpdk-libs <folder>', text);
}
