/** A `dpcap` that sees other things than this process does: only some primaries, or with another user's eyes. */
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { projectFile } from '../../src/system/location.js';
import { atExit } from './at-exit.js';
import { DPDK_RUNTIME_DIR } from './owned.js';
import { type Finished, type Running, start } from './processes.js';

const PROJECT = projectFile('');
const NOBODY = 65534;
const LIBRARIES = '/usr/lib/x86_64-linux-gnu';

/**
 * Runs `dpcap` in a mount namespace whose runtime directory holds these file prefixes and no others, whatever else runs
 * on this machine. It can look at primaries there, but a primary's answers would not find the way back: no captures.
 */
export function runDpcapSeeing(prefixes: string[], args: string[]): Promise<Finished> {
  const binds = prefixes.map((prefix) => bind(`${DPDK_RUNTIME_DIR}/${prefix}`, `"$DIRECTORY/dpdk/${prefix}"`));
  const script = `${binds.join('')} DPCAP_RUNTIME_ROOT="$DIRECTORY/dpdk" exec "${PROJECT}bin/dpcap" "$@"`;
  return runScript(script, args);
}

/**
 * Runs `dpcap` as user "nobody"; the project is made visible wherever it lies.
 * @param environment of it; default: root's runtime directory
 */
export function runDpcapAsNobody(args: string[], environment = 'RUNTIME_DIRECTORY=/var/run'): Promise<Finished> {
  const drop = `setpriv --reuid=${NOBODY} --regid=${NOBODY} --clear-groups`;
  const script = `${bind(PROJECT, '"$DIRECTORY/project"')}
    exec env ${environment} ${drop} "$DIRECTORY/project/bin/dpcap" "$@"`;
  return runScript(script, args);
}

/** Starts `dpcap` in a PID namespace of its own, with the /proc that belongs to it. All in it dies with `unshare`. */
export function startDpcapInPidNamespace(args: string[], env: NodeJS.ProcessEnv = {}): Running {
  const words = ['--pid', '--fork', '--kill-child', '--mount-proc', `${PROJECT}bin/dpcap`];
  const running = start('unshare', [...words, ...args], { env });
  running.closeStdin();
  return running;
}

/** Runs `dpcap` where no library of DPDK is installed: files that are not there lie over them. */
export function runDpcapWithoutDpdk(args: string[]): Promise<Finished> {
  const script = `mkdir "$DIRECTORY/none" && cd ${LIBRARIES}
    for name in librte_*.so.* dpdk; do mknod "$DIRECTORY/none/$name" c 0 0; done
    mount -t overlay -o lowerdir="$DIRECTORY/none:${LIBRARIES}" none ${LIBRARIES}
    exec "${PROJECT}bin/dpcap" "$@"`;
  return runScript(script, args);
}

/** Runs `dpcap` without some of root's capabilities, such as "sys_admin". */
export function runDpcapLacking(capabilities: string[], args: string[]): Promise<Finished> {
  const lacking = capabilities.map((name) => `-${name}`).join(',');
  const running = start('setpriv', [`--bounding-set=${lacking}`, `${PROJECT}bin/dpcap`, ...args]);
  running.closeStdin();
  return running.wait();
}

function bind(from: string, to: string): string {
  return `mkdir -p ${to} && mount --bind "${from}" ${to}\n`;
}

/** `$DIRECTORY` is an empty directory that anyone may enter. */
async function runScript(script: string, args: string[]): Promise<Finished> {
  const directory = mkdtempSync(join(tmpdir(), 'dpcap-isolated-'));
  const remove = (): void => rmSync(directory, { recursive: true, force: true });
  const forget = atExit(remove);
  mkdirSync(join(directory, 'dpdk'));
  const lines = `chmod 755 "$DIRECTORY"\nset -e\n${script}`;
  const process = start('unshare', ['--mount', 'sh', '-c', lines, 'sh', ...args], { env: { DIRECTORY: directory } });
  process.closeStdin();
  try {
    return await process.wait();
  } finally {
    remove(); // the mounts went with their namespace
    forget();
  }
}
