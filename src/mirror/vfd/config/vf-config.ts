/** Reads the VF configurations in force: the identity of each VF, and what its filters let through. */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod/mini';
import { readRegular } from '../../../system/safe-file.js';
import { normalisePci } from '../../target-spec.js';
import { scanJson, toValue } from './lenient-json.js';

export interface VfConfig {
  /** Base name of the file, such as `guest_a.json`. */
  file: string;
  name: string;
  pfPci: string;
  vf: number;
  vlans: number[];
  macs: string[];
  allowsUnknownUnicast: boolean;
  hasMirror: boolean;
}

const words = z.catch(z.array(z.string()), []);
const schema = z.object({
  name: z.catch(z.string(), 'unnamed'),
  pciid: z.string(),
  vfid: z.int().check(z.nonnegative()),
  vlans: z.catch(z.array(z.number()), []),
  macs: words,
  mac: z.catch(z.optional(z.string()), undefined),
  allow_un_ucast: z.catch(z.boolean(), false),
  mirror: z.optional(z.unknown()),
});

/** The directory of the configurations in force. */
export function liveDir(configDir: string): string {
  return `${configDir.replace(/\/+$/, '')}_live`;
}

/** Returns all that can be read; undefined when the directory cannot be read (in a container it may be invisible). */
export function readVfConfigs(configDir: string): VfConfig[] | undefined {
  const dir = liveDir(configDir);
  try {
    const files = readdirSync(dir).filter((name) => name.endsWith('.json'));
    return files.sort().flatMap((file) => readVfConfig(join(dir, file), file) ?? []);
  } catch {
    return undefined;
  }
}

function readVfConfig(path: string, file: string): VfConfig | undefined {
  try {
    return parseVfConfig(readRegular(path).bytes.toString('latin1'), file);
  } catch {
    return undefined; // gone meanwhile, or not a VF configuration: VFd does not manage a VF by it
  }
}

/**
 * Parses one configuration.
 * @param text latin1
 * @throws when the text is no VF configuration
 */
export function parseVfConfig(text: string, file: string): VfConfig {
  const config = schema.parse(toValue(scanJson(text)));
  return {
    file,
    name: config.name,
    pfPci: normalisePci(config.pciid) ?? config.pciid,
    vf: config.vfid,
    vlans: config.vlans,
    macs: config.mac === undefined ? config.macs : [config.mac, ...config.macs],
    allowsUnknownUnicast: config.allow_un_ucast,
    hasMirror: config.mirror !== undefined,
  };
}
