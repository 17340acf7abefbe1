/** pino on standard error; standard output belongs to packets alone. */
import { type Logger, pino } from 'pino';
import { diagnostics } from './diagnostics.js';

export type { Logger };
export const LOG_LEVELS = ['trace', 'debug', 'info', 'warn', 'error', 'silent'] as const;
export type LogLevel = (typeof LOG_LEVELS)[number];

/** A logger that writes NDJSON lines through the diagnostics. */
export function createLogger(level: LogLevel, name: string): Logger {
  return pino({ level, name, base: { pid: process.pid } }, diagnostics);
}
