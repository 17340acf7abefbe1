/** The command line as a process, with a state directory of its own and no primaries to see. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const BIN = fileURLToPath(new URL('../../../../bin/dpcap.cjs', import.meta.url));

export interface Run {
  code: number | null;
  stdout: string;
  stderr: string;
}

export class Dpcap {
  readonly #env: NodeJS.ProcessEnv;
  readonly #journal: string;

  constructor(dir: string) {
    mkdirSync(join(dir, 'run'), { recursive: true });
    this.#env = { ...process.env, XDG_STATE_HOME: join(dir, 'state'), DPCAP_RUNTIME_ROOT: join(dir, 'run') };
    this.#journal = join(dir, 'state', 'dpcap', 'journal');
  }

  start(...args: string[]): ChildProcess {
    return spawn(process.execPath, [BIN, ...args], { env: this.#env, stdio: ['ignore', 'pipe', 'pipe'] });
  }

  async run(...args: string[]): Promise<Run> {
    const child = this.start(...args);
    const [stdout, stderr] = [text(child.stdout), text(child.stderr)];
    const [code] = (await once(child, 'close')) as [number | null];
    return { code, stdout: stdout(), stderr: stderr() };
  }

  /** Names of the journal's entries. */
  journal(): string[] {
    try {
      return readdirSync(this.#journal).filter((name) => name.endsWith('.json'));
    } catch {
      return [];
    }
  }
}

function text(stream: NodeJS.ReadableStream | null): () => string {
  let all = '';
  stream?.on('data', (chunk) => {
    all += chunk;
  });
  return () => all;
}

/** Resolves when the condition holds; looks again after each turn of a short timer, and gives up in the end. */
export async function until(condition: () => boolean, what: string, limitMs = 15_000): Promise<void> {
  const limit = performance.now() + limitMs;
  while (!condition()) {
    if (performance.now() > limit) throw new Error(`did not happen: ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 5));
  }
}
