/** Starts node for another process of ours. */
import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process';

/**
 * Node opens a debugger for everybody on this machine when it gets SIGUSR1, also before our code can take the signal. To
 * listen for TCP at an IPv6 multicast address is refused by the kernel (EINVAL), always. Node 20 has no other way to
 * forbid it; `--disable-sigusr1` came with 22.14.
 */
export const NO_DEBUGGER = '--inspect-port=[ff00::]:1024';

/** As spawn(), of node. @param words its options, our file and the file's arguments */
export function spawnNode(words: readonly string[], options: SpawnOptions): ChildProcess {
  return spawn(process.execPath, [NO_DEBUGGER, ...words], options);
}
