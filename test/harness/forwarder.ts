/** `dpcap forward2kni` under test, and the kernel interfaces it makes. */

import { existsSync, readdirSync } from 'node:fs';
import { setTimeout as delay } from 'node:timers/promises';
import { LiveCapture } from './capture.js';
import { withDefaults } from './defaults.js';
import { uniqueInterface } from './owned.js';
import { type Finished, type Running, runDpcap, start, startDpcap } from './processes.js';
import type { Testpmd } from './testpmd.js';

const GONE_TIMEOUT_MS = 20_000;

/** A name for an interface that nobody else has, short enough for a suffix. */
export function kniName(): string {
  return uniqueInterface('k');
}

/** Starts a forwarder in the foreground, with its statistics as NDJSON. A small `-B`, so that several fit. */
export function startForwarder(testpmd: Testpmd, port: string, args: string[]): LiveCapture {
  const process = startDpcap(commandLine(testpmd, port, 'on', ['--json', ...withDefaults({ '-B': '16384' }, args)]));
  process.closeStdin();
  return new LiveCapture(process);
}

/** Runs `forward2kni PORT ACTION` to its end. */
export function forward2kni(testpmd: Testpmd, port: string, action: string, args: string[] = []): Promise<Finished> {
  return runDpcap(commandLine(testpmd, port, action, args));
}

function commandLine(testpmd: Testpmd, port: string, action: string, args: readonly string[]): string[] {
  return ['forward2kni', port, action, ...withDefaults({ '--file-prefix': testpmd.prefix }, args)];
}

/** Whether there is an interface of this name in this network namespace. */
export function hasInterface(name: string): boolean {
  return existsSync(`/sys/class/net/${name}`);
}

/** How many queues an interface has towards its writers. */
export function rxQueuesOf(name: string): number {
  return readdirSync(`/sys/class/net/${name}/queues`).filter((queue) => queue.startsWith('rx-')).length;
}

/** Resolves when the interface is gone. @throws Error when it stays */
export async function interfaceGone(name: string): Promise<void> {
  for (const deadline = Date.now() + GONE_TIMEOUT_MS; hasInterface(name); await delay(20)) {
    if (Date.now() > deadline) throw new Error(`interface ${name} is still there`);
  }
}

/** A tcpdump on an interface that prints and writes each packet at once, ready when this resolves. */
export function watchInterface(name: string, file: string, args: string[] = []): Promise<Running> {
  return listening(
    start('tcpdump', ['-nn', '-t', '-l', '-U', '--immediate-mode', '--print', ...writing(name, file), ...args]),
  );
}

/**
 * A tcpdump that writes `packets` packets of an interface and ends, with room for all of them at once.
 * @param netns the network namespace of the interface, if it is not this one
 */
export function recordInterface(name: string, file: string, packets: number, netns?: string): Promise<Running> {
  const words = ['tcpdump', '-B', '16384', '-c', String(packets), ...writing(name, file)];
  return listening(netns ? start('ip', ['netns', 'exec', netns, ...words]) : start('env', words));
}

function writing(name: string, file: string): string[] {
  return ['-i', name, '-Z', 'root', '-w', file];
}

async function listening(tcpdump: Running): Promise<Running> {
  await tcpdump.expect(/listening on/);
  return tcpdump;
}
