/** A stock dpdk-testpmd that forwards nothing, for looking at from outside. */
import { type ChildProcess, spawn } from 'node:child_process';
import { accessSync, constants, readdirSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';

const TESTPMD = '/usr/bin/dpdk-testpmd';
const START_MS = 20_000;
let started = 0;

/** Why such a primary cannot be started here; undefined when it can. */
export function skipReason(): string | undefined {
  try {
    accessSync(TESTPMD, constants.X_OK);
  } catch {
    return `${TESTPMD} is not installed`;
  }
  if (process.getuid?.() !== 0) return 'needs root';
  const free = Number(/^HugePages_Free:\s+(\d+)/m.exec(readFileSync('/proc/meminfo', 'latin1'))?.[1] ?? 0);
  return free < 40 ? `${free} huge pages are free, 40 are needed` : undefined;
}

export interface HostPrimary {
  filePrefix: string;
  runtimeDir: string;
  pid: number;
  signal(name: NodeJS.Signals): void;
  /** Ends it with a signal and waits; SIGKILL leaves its files, as a crash does. */
  end(name?: NodeJS.Signals): Promise<void>;
  /** Ends it when it runs, and removes its files. */
  clean(): Promise<void>;
}

export interface HostPrimaryOptions {
  /** More options for rte_eal_init(). */
  eal?: string[];
  program?: string;
  /** What the program is given after `--`. */
  application?: string[];
  prompt?: string;
}

/** Starts one under a file prefix of its own and waits for its prompt. */
export async function startHostPrimary(options: HostPrimaryOptions = {}): Promise<HostPrimary> {
  const { program = TESTPMD, application = ['--', '-i', '--total-num-mbufs=4096'], prompt = 'testpmd> ' } = options;
  const filePrefix = `host-test-${process.pid}-${started++}`;
  const eal = ['--file-prefix', filePrefix, '-m', '64', '--lcores', '0@0,1@0', '--no-pci', ...(options.eal ?? [])];
  const vdevs = ['--vdev', 'net_null0', '--vdev', 'net_null1'];
  const child = spawn(program, [...eal, ...vdevs, ...application], { stdio: ['pipe', 'pipe', 'pipe'] });
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  const end = async (name: NodeJS.Signals = 'SIGTERM'): Promise<void> => {
    if (child.exitCode === null && child.signalCode === null) child.kill(name);
    await ended;
  };
  const clean = async (): Promise<void> => {
    await end('SIGKILL');
    removeFiles(filePrefix);
  };
  await waitForPrompt(child, prompt).catch(async (error: unknown) => {
    await clean();
    throw error;
  });
  const runtimeDir = join('/var/run/dpdk', filePrefix);
  return { filePrefix, runtimeDir, pid: child.pid as number, signal: (name) => child.kill(name), end, clean };
}

function waitForPrompt(child: ChildProcess, prompt: string): Promise<void> {
  return new Promise((resolve, reject) => {
    let output = '';
    const give = (why: string): void => reject(new Error(`the primary ${why}:\n${output}`));
    const timer = setTimeout(() => give('did not start in time'), START_MS);
    const read = (chunk: Buffer): void => {
      output += chunk;
      if (output.includes(prompt)) settle(resolve);
    };
    const settle = (how: () => void): void => {
      clearTimeout(timer);
      how();
    };
    child.stdout?.on('data', read);
    child.stderr?.on('data', read);
    child.once('close', () => settle(() => give('ended')));
  });
}

function removeFiles(filePrefix: string): void {
  rmSync(join('/var/run/dpdk', filePrefix), { recursive: true, force: true });
  for (const name of readdirSync('/dev/hugepages')) {
    if (name.startsWith(`${filePrefix}map_`)) rmSync(join('/dev/hugepages', name), { force: true });
  }
}
