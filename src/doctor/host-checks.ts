/** Checks whether the machine is ready for any capture. Pure: facts in, findings out. */
import { DpcapError } from '../errors.js';
import { type Check, fail, ok, warn } from './check.js';
import type { DoctorView } from './gather.js';

/** The oldest version that runs what is packaged: Debian 12's own. A checkout needs a later one (scripts/setup.sh). */
const NODE_MIN = [18, 20] as const;

/** All findings about the machine, in the order in which a person would look. */
export function hostChecks(view: DoctorView): Check[] {
  return [
    nodeCheck(view),
    ...addonChecks(view),
    userCheck(view),
    hugepagesCheck(view),
    mountCheck(view),
    rootsCheck(view),
  ];
}

function nodeCheck({ nodeVersion }: DoctorView): Check {
  const [major = 0, minor = 0] = nodeVersion.split('.').map(Number);
  const enough = major > NODE_MIN[0] || (major === NODE_MIN[0] && minor >= NODE_MIN[1]);
  return enough
    ? ok('node', `version ${nodeVersion}`)
    : fail('node', `version ${nodeVersion} is too old`, `install Node.js ${NODE_MIN.join('.')} or newer`);
}

function addonChecks({ addon }: DoctorView): Check[] {
  if (addon instanceof Error) return [fail('addon', addon.message, addon.hint ?? 'build it with npm run build')];
  const { pcap, dpdk } = addon;
  const found = dpdk.flatMap((one) => (one.found instanceof Error ? [] : [one.found]));
  // What is not there is no fault: no such primary may run here.
  const broken = dpdk.flatMap(({ found }) => (found instanceof DpcapError && found.errno !== 'ENOENT' ? [found] : []));
  const captures =
    found.length > 0
      ? ok('DPDK', `libraries of ${found.join(', ')}`)
      : warn(
          'DPDK',
          `no libraries of a release that dpcap knows (${dpdk.map(({ line }) => line).join(', ')})`,
          LIBRARIES,
        );
  const faults = broken.map((error) => warn('DPDK', error.message, error.hint ?? LIBRARIES));
  if (!(pcap instanceof Error)) return [ok('addon', pcap), captures, ...faults];
  const missing = fail('addon', pcap.message, 'filters need it: apt install libpcap0.8 (libpcap elsewhere)');
  return [missing, captures, ...faults];
}

const LIBRARIES = "install those of the application's release: apt install dpdk (librte-* are enough)";

function userCheck({ uid }: DoctorView): Check {
  if (uid === 0) return ok('user', 'root');
  const detail = `uid ${uid}: only primaries of this user can be joined, and their handler table may be out of reach`;
  return warn('user', detail, 'run dpcap as root when the DPDK application runs as root');
}

function hugepagesCheck({ hugepages }: DoctorView): Check {
  const remedy = 'reserve some: echo 512 > /proc/sys/vm/nr_hugepages';
  const pools = hugepages.filter((pool) => pool.total > 0);
  if (pools.length === 0) return fail('huge pages', 'none are reserved', remedy);
  const detail = pools.map(({ sizeKb, total, free }) => `${free} of ${total} x ${pageSize(sizeKb)} free`).join(', ');
  if (pools.some((pool) => pool.free > 0)) return ok('huge pages', detail);
  return warn('huge pages', `${detail}: a capture has only the memory that the primary already holds`, remedy);
}

function pageSize(kb: number): string {
  if (kb >= 1024 * 1024) return `${kb / 1024 / 1024} GB`;
  return kb >= 1024 ? `${kb / 1024} MB` : `${kb} kB`;
}

function mountCheck({ mounts }: DoctorView): Check {
  const remedy = 'mount it: mkdir -p /dev/hugepages && mount -t hugetlbfs hugetlbfs /dev/hugepages';
  if (mounts.length === 0) return fail('hugetlbfs', 'not mounted', remedy);
  const usable = mounts.filter((mount) => mount.writable).map((mount) => mount.path);
  if (usable.length > 0) return ok('hugetlbfs', `mounted on ${usable.join(', ')}`);
  const paths = mounts.map((mount) => mount.path).join(', ');
  return fail('hugetlbfs', `${paths} is not writable for this user`, 'run dpcap as the user of the DPDK application');
}

function rootsCheck({ root, otherRoots }: DoctorView): Check {
  if (otherRoots.length === 0) return ok('runtime root', root);
  const detail = `${root}; there are DPDK files in ${otherRoots.join(', ')} too`;
  const remedy = `to look there, as a user who may: RUNTIME_DIRECTORY=${otherRoots[0]?.replace(/\/dpdk$/, '')} dpcap ...`;
  return warn('runtime root', detail, remedy);
}
