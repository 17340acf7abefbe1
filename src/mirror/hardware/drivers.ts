/** What the drivers of ports can do in hardware, by their names in DPDK, 22.11 to 25.11. Pure. */

/** Those that know rules with a SAMPLE action, and how it comes about. */
const SAMPLES: [driver: RegExp, how: string][] = [
  [/^mlx5_/, 'in hardware as well, where the driver takes the rules (--hardware --dry-run asks it)'],
  [/^net_bnxt$/, 'in hardware by hand (dpcap mirror plan --nic bnxt)'],
  [/^net_cn\d+k$/, 'in hardware by hand (dpcap mirror plan --nic cnxk)'],
];
/** Those with rte_pmd_*_set_tx_loopback(). */
const LOOPBACKS = ['net_ixgbe', 'net_i40e', 'net_bnxt', 'net_dpaa'];

/** What a driver is known to be able to do, as parts of a sentence; that of any other has to be asked. */
export function hardwareAbilities(driver: string): string[] {
  const samples = SAMPLES.filter(([name]) => name.test(driver)).map(([, how]) => how);
  return LOOPBACKS.includes(driver) ? [...samples, 'its loopback can be switched (dpcap mirror loopback)'] : samples;
}
