/** Starts node for another process of dpcap. */
import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process';

/**
 * Node opens a debugger for everybody on this machine when it gets SIGUSR1, also before dpcap's code can take the
 * signal. With this address it cannot: the kernel always refuses to listen for TCP at an IPv6 multicast address
 * (EINVAL). Node 20 has no other way to forbid it; `--disable-sigusr1` came with 22.14.
 */
export const NO_DEBUGGER = '--inspect-port=[ff00::]:1024';

/**
 * V8 lets the space for young objects grow to 48 MiB, little by little, over hours: a process that only passes figures on
 * looked as if it leaked. With this it is as large after a minute as after a week, and by a third smaller (Node 20).
 */
export const STEADY_MEMORY = '--max-semi-space-size=2';

/** A command as spawn() takes it. */
export interface NodeCommand {
  command: string;
  args: string[];
}

/** How node is started. @param words node's options, the file to execute and its arguments */
export function nodeCommand(words: readonly string[]): NodeCommand {
  return { command: process.execPath, args: [NO_DEBUGGER, STEADY_MEMORY, ...words] };
}

/** Like spawn(), for node. @param words as for nodeCommand() */
export function spawnNode(words: readonly string[], options: SpawnOptions): ChildProcess {
  const { command, args } = nodeCommand(words);
  return spawn(command, args, options);
}
