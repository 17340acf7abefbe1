/** The engine's end of its conversation with the supervisor, which may be killed at any moment. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { FromEngine } from '../protocol/messages.js';

/** Sends a message if it can be sent. */
export type Send = (message: FromEngine) => void;

/**
 * Makes a `send` that never throws and never emits 'error'. A message that cannot be sent shows that the supervisor is
 * gone, as does the closed channel, which Node reports a turn of its event loop later.
 * @param onGone called whenever something could not be sent
 */
export function createSend(onGone: () => void, channel: NodeJS.Process = process): Send {
  return (message) => {
    if (!channel.connected) return;
    channel.send?.(message, undefined, undefined, (error) => {
      if (error) onGone();
    });
  };
}

/** Resolves when all messages that were sent have left this process. */
export async function flushed(): Promise<void> {
  while (process.connected && (process.channel as unknown as { writeQueueSize?: number })?.writeQueueSize)
    await sleep(5);
}
