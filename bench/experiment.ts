/** One tool on one primary for a while: the setting of every figure. */
import { rmSync } from 'node:fs';
import type { Primary } from './primary.js';
import { startPrimary, type Traffic } from './primary.js';
import { RunningTool } from './running-tool.js';
import type { Sample } from './sample.js';
import type { Request, Tool } from './tools.js';
import { WarmMemory } from './warm-memory.js';

/** How much of everything is measured. */
export interface Settings {
  rounds: number;
  /** Of each measurement. */
  seconds: number;
  /** Of packets of a saturated primary, bytes. */
  sizes: number[];
  /** Where files are written. */
  directory: string;
  /** A sign of life, not a measurement. */
  quick: boolean;
  /** Samples during which something else used the CPUs are shown apart, instead of left out. */
  keepsDisturbed: boolean;
}

export type Record = (sample: Sample) => void;

/** A figure measures something of several tools, in turns. */
export interface Figure {
  name: string;
  measure(settings: Settings, record: Record): Promise<void>;
}

export const MEGA = 1e6;
const WARM_BYTES = 8e9;
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

/**
 * Memory for what a tool is about to write.
 * @param least bytes
 * @throws Error when this machine does not have so much
 */
export async function withWarmMemory(
  settings: Settings,
  run: (memory: WarmMemory) => Promise<void>,
  least = 0,
): Promise<void> {
  const memory = new WarmMemory(Math.max(least, settings.quick ? WARM_BYTES_QUICK : WARM_BYTES));
  try {
    await run(memory);
  } finally {
    memory.free();
  }
}

/** All of them, or for a sign of life the first. */
export function some<T>({ quick }: Settings, all: readonly T[]): readonly T[] {
  return quick ? all.slice(0, 1) : all;
}

/** Each round begins with another one. */
export function turned<T>(all: readonly T[], round: number): readonly T[] {
  const first = round % all.length;
  return [...all.slice(first), ...all.slice(0, first)];
}

export function fileIn({ directory }: Settings): string {
  return `${directory}/dpcap-bench-${process.pid}.pcap`;
}
