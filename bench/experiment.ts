/** One tool on one primary for a while: the setting of every figure. */
import { closeSync, openSync, rmSync, writeSync } from 'node:fs';
import type { Primary } from './primary.js';
import { startPrimary, type Traffic } from './primary.js';
import { RunningTool } from './running-tool.js';
import type { Sample } from './sample.js';
import type { Request, Tool } from './tools.js';

/** How much of everything is measured. */
export interface Settings {
  rounds: number;
  /** Of each measurement. */
  seconds: number;
  /** Where files are written. */
  directory: string;
  /** A sign of life, not a measurement. */
  quick: boolean;
}

export type Record = (sample: Sample) => void;

/** A figure measures something of several tools, in turns. */
export interface Figure {
  name: string;
  measure(settings: Settings, record: Record): Promise<void>;
}

export const MEGA = 1e6;
const WARM_BYTES = 4e9;
const WARM_BYTES_QUICK = 2e8;

/** Says what went wrong with one run, and goes on: a tool that fails has no figure. */
export async function attempt(what: string, run: () => Promise<void>): Promise<void> {
  try {
    await run();
  } catch (error) {
    process.stderr.write(`${what}: ${(error as Error).message.trim()}\n`);
  }
}

/** A fresh primary: some tools harm it when they stop. */
export async function withPrimary(traffic: Traffic, run: (primary: Primary) => Promise<void>): Promise<void> {
  const primary = await startPrimary(traffic);
  try {
    await run(primary);
  } finally {
    await primary.stop();
  }
}

/** Starts a tool, and ends it and its file whatever happens. */
export async function withTool(
  tool: Tool,
  request: Request,
  run: (running: RunningTool) => Promise<void>,
  stdout: number | 'ignore' = 'ignore',
): Promise<void> {
  const running = new RunningTool(tool, request, stdout);
  try {
    await run(running);
  } finally {
    await running.stop();
    if (request.output !== '-') rmSync(request.output, { force: true });
  }
}

export function fileIn({ directory }: Settings): string {
  return `${directory}/dpcap-bench-${process.pid}.pcap`;
}

/** Bytes a second that a plain loop writes to a new file from a hot buffer, after the memory was touched. */
export function writeLoop(settings: Settings): number {
  const path = fileIn(settings);
  const bytes = settings.quick ? WARM_BYTES_QUICK : WARM_BYTES;
  const buffer = Buffer.alloc(256 * 1024);
  const fill = (): number => {
    const fd = openSync(path, 'w');
    const start = process.hrtime.bigint();
    for (let done = 0; done < bytes; done += buffer.length) writeSync(fd, buffer);
    const seconds = Number(process.hrtime.bigint() - start) / 1e9;
    closeSync(fd);
    rmSync(path);
    return bytes / seconds;
  };
  fill(); // the first touch of memory is slower than everything that is measured
  return fill();
}
