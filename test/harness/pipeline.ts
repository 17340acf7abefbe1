/** `dpcap ... | consumer`: packets reach another program through a pipe, as in a shell. */

import { readFileSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { type Captured, LiveCapture, messagesIn, recordsIn } from './capture.js';
import { CAPTURE_DEFAULTS, withDefaults } from './defaults.js';
import { childrenOf } from './engine.js';
import { DPCAP, type Running, start } from './processes.js';
import type { Testpmd } from './testpmd.js';

/** What node runs; the shell that starts it has another name. */
const SCRIPT = `\0${DPCAP}.cjs\0`;

/** A shell that runs both; what the consumer prints is its standard output. */
export class Pipeline extends LiveCapture {
  readonly shell: Running;

  constructor(shell: Running) {
    super(shell);
    this.shell = shell;
  }

  /** Sends a signal to dpcap alone. */
  async signal(name: NodeJS.Signals): Promise<void> {
    process.kill(await this.#dpcap(), name);
  }

  /** Waits until dpcap has ended, whatever its consumer does. */
  async finished(timeoutMs = 20_000): Promise<Captured> {
    const [, code] = await this.shell.expect(/^dpcap exit (\d+)$/m, { stream: 'stderr', timeoutMs });
    const { stdout, stderr } = this.shell;
    const records = recordsIn(stderr);
    const messages = messagesIn(stderr).replaceAll(/^dpcap exit \d+\n/gm, '');
    return { code: Number(code), signal: null, stdout, stderr, records, final: records.find((r) => r.final), messages };
  }

  /** Kills what is left of it, and waits. */
  async close(): Promise<void> {
    for (const pid of descendants(this.shell.pid)) killIfThere(pid);
    await this.shell.stop('SIGKILL');
  }

  /** Pid of dpcap, once the shell has started it. */
  async #dpcap(): Promise<number> {
    for (let attempt = 0; attempt < 500; attempt++) {
      const found = descendants(this.shell.pid).find((pid) => readProc(`${pid}/cmdline`).includes(SCRIPT));
      if (found) return found;
      await delay(10);
    }
    throw new Error(`dpcap is not running under ${this.shell.command}`);
  }
}

/** Starts `dpcap --file-prefix ... ARGS | CONSUMER`, with statistics as NDJSON on standard error. */
export function startPipeline(testpmd: Testpmd, args: string[], consumer: string): Pipeline {
  const script = `{ "$0" "$@"; echo "dpcap exit $?" >&2; } | { ${consumer}; }`;
  const words = withDefaults({ ...CAPTURE_DEFAULTS, '--file-prefix': testpmd.prefix }, args);
  const shell = start('sh', ['-c', script, DPCAP, ...words]);
  shell.closeStdin();
  return new Pipeline(shell);
}

function descendants(pid: number): number[] {
  return childrenOf(pid).flatMap((child) => [child, ...descendants(child)]);
}

/** One that ends by itself may have ended meanwhile. */
function killIfThere(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'ESRCH') throw error;
  }
}

/** Empty when the process has ended. */
function readProc(path: string): string {
  try {
    return readFileSync(`/proc/${path}`, 'utf8');
  } catch {
    return '';
  }
}
