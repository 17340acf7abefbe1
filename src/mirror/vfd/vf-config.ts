/** The VF configurations in force: who a VF is, and what its filters let through. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { z } from 'zod';
import { normalisePci } from '../target-spec.js';
import { scanJson, toValue } from './lenient-json.js';

export interface VfConfig {
  /** Base name, `guest_a.json`. */
  file: string;
  name: string;
  pfPci: string;
  vf: number;
  vlans: number[];
  macs: string[];
  allowsUnknownUnicast: boolean;
  hasMirror: boolean;
}

const words = z.array(z.string()).catch([]);
const schema = z.object({
  name: z.string().catch('unnamed'),
  pciid: z.string(),
  vfid: z.number().int().min(0),
  vlans: z.array(z.number()).catch([]),
  macs: words,
  mac: z.string().optional().catch(undefined),
  allow_un_ucast: z.boolean().catch(false),
  mirror: z.unknown().optional(),
});

/** Where the configurations in force are. */
export function liveDir(configDir: string): string {
  return `${configDir.replace(/\/+$/, '')}_live`;
}

/** All that can be read; undefined when the directory cannot (in a container it may not be visible). */
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
    return parseVfConfig(readFileSync(path, 'latin1'), file);
  } catch {
    return undefined; // gone meanwhile, or not a VF configuration: VFd does not manage a VF by it
  }
}

/**
 * One configuration.
 * @param text latin1
 * @throws when it is none
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
