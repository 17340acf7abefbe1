/** pino on standard error; standard output belongs to packets alone. */
import { destination, type Logger, pino } from 'pino';

export type { Logger };
export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'silent'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** A logger writing NDJSON lines to fd 2, synchronously so that nothing is lost at exit. */
export function createLogger(level: LogLevel, name: string): Logger {
  return pino({ level, name, base: { pid: process.pid } }, destination({ fd: 2, sync: true }));
}
