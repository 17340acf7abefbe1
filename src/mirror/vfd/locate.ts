/** Where VFd listens on this host: option, configuration, container path, default (vfd.md 2). */
import { lstatSync } from 'node:fs';
import { UsageError } from '../../errors.js';
import { DEFAULT_CONFIG, type MainConfig, readMainConfig } from './main-config.js';

const CONTAINER_FIFO = '/var/lib/vfd/pipes/request';
const DEFAULT_FIFO = '/var/lib/vfd/request';

export interface VfdOptions {
  fifo?: string | undefined;
  config?: string | undefined;
}

export interface VfdPlace {
  fifo: string;
  /** Whether something is there; whether VFd runs, only asking tells. */
  exists: boolean;
  config: MainConfig | undefined;
}

/**
 * Looks at the paths in order.
 * @throws DpcapError when the configuration cannot be read; UsageError when the one that was named is not there
 */
export function locateVfd(options: VfdOptions): VfdPlace {
  const config = readMainConfig(options.config ?? DEFAULT_CONFIG);
  if (options.config !== undefined && !config) {
    throw new UsageError(`--config: there is no ${options.config}`, { subject: options.config });
  }
  const fixed = options.fifo ?? config?.fifo;
  const fifo = fixed ?? (isThere(CONTAINER_FIFO) ? CONTAINER_FIFO : DEFAULT_FIFO);
  return { fifo, exists: isThere(fifo), config };
}

function isThere(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
}
