/** What live tests need from the host, and words for what is missing. */
import { accessSync, constants, readFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { run } from './processes.js';

const TOOLS = ['dpdk-testpmd', 'stdbuf', 'tcpdump', 'tshark', 'capinfos', 'editcap'];
const NAMESPACE_TOOLS = ['ip', 'ethtool', 'ping', 'curl', 'unshare'];
const SET_UP = 'run scripts/setup.sh';

/** What a test needs beyond a testpmd and the packet tools. */
export interface Needs {
  /** Free hugepage memory; default 128. */
  hugepagesMb?: number;
  /** Network namespaces, as for `bridgeTwoNamespaces`. */
  namespaces?: boolean;
  /** More programs. */
  tools?: string[];
}

/**
 * Why the live tests of a file cannot run here, or false: made for tap's `skip`.
 * @example t.test('captures', { skip: requirements() }, async (t) => { ... });
 */
export function requirements(needs: Needs = {}): string | false {
  if (process.getuid?.() !== 0) return 'must run as root';
  const tools = [...TOOLS, ...(needs.namespaces ? NAMESPACE_TOOLS : []), ...(needs.tools ?? [])];
  const absent = tools.filter((tool) => !isInstalled(tool));
  if (absent.length > 0) return `not installed: ${absent.join(', ')} (${SET_UP})`;
  const neededMb = needs.hugepagesMb ?? 128;
  const freeMb = freeHugepagesMb();
  if (freeMb < neededMb) return `only ${freeMb} MB of hugepages are free, ${neededMb} MB are needed (${SET_UP})`;
  if (!readFileSync('/proc/mounts', 'utf8').includes(' hugetlbfs ')) return `hugetlbfs is not mounted (${SET_UP})`;
  if (needs.namespaces && !canUnshareNetwork()) return 'network namespaces are not permitted here';
  return false;
}

/** Whether a program is in the PATH. */
export function isInstalled(tool: string): boolean {
  return (process.env.PATH ?? '').split(delimiter).some((directory) => isExecutable(join(directory, tool)));
}

/** Free hugepages of the default size, in megabytes. */
export function freeHugepagesMb(): number {
  const meminfo = readFileSync('/proc/meminfo', 'utf8');
  const figure = (name: string): number => Number(meminfo.match(new RegExp(`^${name}:\\s+(\\d+)`, 'm'))?.[1] ?? 0);
  return (figure('HugePages_Free') * figure('Hugepagesize')) / 1024;
}

function isExecutable(path: string): boolean {
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function canUnshareNetwork(): boolean {
  try {
    run('unshare', ['--net', 'true']);
    return true;
  } catch {
    return false;
  }
}
