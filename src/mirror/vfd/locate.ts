/** Finds where VFd listens on this host, by option, configuration, container path or default (vfd.md 2). */
import { lstatSync } from 'node:fs';
import { isAbsolute, resolve } from 'node:path';
import { UsageError } from '../../errors.js';
import { DEFAULT_CONFIG, type MainConfig, readMainConfig } from './config/main-config.js';

const CONTAINER_FIFO = '/var/lib/vfd/pipes/request';
const DEFAULT_FIFO = '/var/lib/vfd/request';

export interface VfdOptions {
  fifo?: string | undefined;
  config?: string | undefined;
}

export interface VfdPlace {
  fifo: string;
  /** Whether the path exists. Only a request can tell whether VFd runs. */
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
  // The path is absolute, because VFd writes its answer beside it, and `dpcap recover` works in another directory.
  const fixed = options.fifo === undefined ? config?.fifo : resolve(options.fifo);
  const fifo = fixed ?? (isThere(CONTAINER_FIFO) ? CONTAINER_FIFO : DEFAULT_FIFO);
  requireAbsolute(fifo, config);
  return { fifo, exists: isThere(fifo), config };
}

/** @throws UsageError */
function requireAbsolute(fifo: string, config: MainConfig | undefined): void {
  if (isAbsolute(fifo)) return;
  throw new UsageError(`${config?.path} has a relative path for the request FIFO: ${fifo}`, {
    subject: fifo,
    hint: 'VFd takes it from its own working directory: name the FIFO with --fifo',
  });
}

function isThere(path: string): boolean {
  return lstatSync(path, { throwIfNoEntry: false }) !== undefined;
}
