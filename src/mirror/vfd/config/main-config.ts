/** Reads what matters here from vfd.cfg: where the FIFO and the VF configurations are, and whether PFs loop back. */
import { readFileSync } from 'node:fs';
import * as z from 'zod/mini';
import { DpcapError, errnoOf } from '../../../errors.js';
import { normalisePci } from '../../target-spec.js';
import { scanJson, toValue } from './lenient-json.js';

export const DEFAULT_CONFIG = '/etc/vfd/vfd.cfg';

export interface PfConfig {
  /** PCI address, or the text as written when it is none. */
  pci: string;
  loopback: boolean;
}

export interface MainConfig {
  path: string;
  fifo: string | undefined;
  configDir: string;
  logDir: string;
  pfs: PfConfig[];
}

const text = z.catch(z.optional(z.string().check(z.minLength(1))), undefined);
const pfSchema = z.union([
  z.pipe(
    z.string(),
    z.transform((id) => ({ id, enable_loopback: false })),
  ),
  z.object({ id: z.string(), enable_loopback: z.catch(z.boolean(), false) }),
]);
const schema = z.object({
  fifo: text,
  config_dir: text,
  log_dir: text,
  pciids: z.catch(z.array(z.unknown()), []),
});

/**
 * Reads vfd.cfg; undefined when there is none.
 * @throws DpcapError ERR_SYSTEM when it is there and cannot be read
 */
export function readMainConfig(path: string): MainConfig | undefined {
  const raw = readText(path);
  if (raw === undefined) return undefined;
  const config = parse(path, raw);
  const pfs = config.pciids.flatMap((one) => pfSchema.safeParse(one).data ?? []);
  return {
    path,
    fifo: config.fifo,
    configDir: config.config_dir ?? '/var/lib/vfd/config',
    logDir: config.log_dir ?? '/var/log/vfd',
    pfs: pfs.map(({ id, enable_loopback }) => ({ pci: normalisePci(id) ?? id, loopback: enable_loopback })),
  };
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'latin1');
  } catch (error) {
    const errno = errnoOf(error);
    if (errno === 'ENOENT') return undefined;
    throw new DpcapError('ERR_SYSTEM', `cannot read VFd's configuration ${path}`, {
      errno,
      subject: path,
      cause: error,
      hint: 'give the right file with --config, or the request FIFO with --fifo',
    });
  }
}

function parse(path: string, raw: string): z.infer<typeof schema> {
  try {
    return schema.parse(toValue(scanJson(raw)));
  } catch (error) {
    throw new DpcapError('ERR_SYSTEM', `cannot make sense of VFd's configuration ${path}`, {
      subject: path,
      cause: error,
      hint: 'give the right file with --config',
    });
  }
}
