/** A tool at work: what it uses and what it has written. */
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import type { Request, Tool } from './tools.js';

const INSPECT = fileURLToPath(new URL('../../build/bench_inspect', import.meta.url));
const HEADER_BYTES = 24;
const START_MS = 20_000;

/** What bench/inspect.cc found in a file. */
export interface Findings {
  packets: number;
  whole: boolean;
  missing: number;
  medianNs: number | null;
  p99Ns: number | null;
}

export class RunningTool {
  readonly #child: ChildProcess;
  readonly #request: Request;
  readonly #exit: Promise<unknown>;
  #words = '';
  #ended = false;

  /** @throws Error when the tool cannot do what is asked */
  constructor(
    readonly tool: Tool,
    request: Request,
    stdout: number | 'ignore' = 'ignore',
  ) {
    const [program, ...words] = tool.command(request) ?? [];
    if (!program) throw new Error(`${tool.name} cannot do that`);
    this.#request = request;
    this.#child = spawn(program, words, { stdio: ['ignore', stdout, 'pipe'] });
    this.#child.stderr?.on('data', (text: Buffer) => {
      this.#words += text.toString();
    });
    this.#exit = once(this.#child, 'exit').then(() => {
      this.#ended = true;
    });
  }

  /** Resolves when `bytes` more than a header are in the file. @throws Error when the tool ends before */
  async written(bytes: number): Promise<void> {
    const deadline = performance.now() + START_MS;
    while (this.fileBytes() < HEADER_BYTES + bytes) {
      if (this.#ended || performance.now() > deadline)
        throw new Error(`${this.tool.name} wrote nothing: ${this.#words}`);
      await sleep(1);
    }
  }

  /** Bytes of the file, under its own name or that of an unfinished one. */
  fileBytes(): number {
    const folder = dirname(this.#request.output);
    const names = readdirSync(folder).filter((name) => name.startsWith(basename(this.#request.output)));
    return names.reduce((sum, name) => sum + (statSync(join(folder, name), { throwIfNoEntry: false })?.size ?? 0), 0);
  }

  /** Bytes that its processes have handed over to the kernel, whatever became of them. */
  bytesWritten(): number {
    const of = (pid: number): number => Number(/^wchar: (\d+)/m.exec(read(pid, 'io'))?.[1] ?? 0);
    return this.pids().reduce((sum, pid) => sum + of(pid), 0);
  }

  /** Its processes. */
  pids(): number[] {
    const own = this.#child.pid as number;
    return [own, ...childrenOf(own)];
  }

  /** CPU time that all its threads have used, seconds. */
  cpuSeconds(): number {
    return this.pids().reduce((sum, pid) => sum + cpuNs(pid), 0) / 1e9;
  }

  /** Most resident memory that its processes have had, MiB. */
  residentMib(): number {
    const of = (pid: number): number => Number(/^VmHWM:\s*(\d+)/m.exec(read(pid, 'status'))?.[1] ?? 0);
    return this.pids().reduce((sum, pid) => sum + of(pid), 0) / 1024;
  }

  /** SIGINT, and its end. */
  async stop(): Promise<void> {
    if (!this.#ended) this.#child.kill('SIGINT');
    await this.#exit;
  }

  /** After stop(). @throws Error when there is no valid, complete file */
  findings(): Findings {
    const found = JSON.parse(execFileSync(INSPECT, [this.#request.output], { encoding: 'utf8' })) as Findings;
    if (!found.whole) throw new Error(`${this.tool.name} left a torn file: ${this.#words}`);
    return found;
  }
}

function read(pid: number, file: string): string {
  try {
    return readFileSync(`/proc/${pid}/${file}`, 'utf8');
  } catch {
    return ''; // it ended meanwhile
  }
}

function childrenOf(pid: number): number[] {
  return read(pid, `task/${pid}/children`).split(' ').filter(Boolean).map(Number);
}

function cpuNs(pid: number): number {
  const tasks = readdirSync(`/proc/${pid}/task`);
  return tasks.reduce((sum, task) => sum + Number(read(pid, `task/${task}/schedstat`).split(' ')[0] ?? 0), 0);
}
