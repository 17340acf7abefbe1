/**
 * Names of KNI interfaces. DPVS does not tell them over its socket: they are `<port>.kni` unless its configuration says
 * otherwise, and the kernel knows whether one is there.
 */
import { existsSync, realpathSync } from 'node:fs';
import { join } from 'node:path';
import { readRegular } from '../system/safe-file.js';

/**
 * Reads `kni_name` by port from the text of a dpvs.conf: blocks are in braces, `!` and `#` begin comments, and `<init>`
 * is a mark.
 */
export function configuredKniNames(text: string): Map<string, string> {
  const names = new Map<string, string>();
  const words = text
    .split('\n')
    .flatMap((line) => line.replace(/[!#].*/, '').match(/[{}]|[^\s{}]+/g) ?? [])
    .filter((word) => word !== '<init>');
  const blocks: (string | undefined)[] = [];
  for (const [i, word] of words.entries()) {
    if (word === '{') blocks.push(isPortBlock(words[i - 2]) ? words[i - 1] : undefined);
    else if (word === '}') blocks.pop();
    const port = blocks.at(-1);
    const name = words[i + 1];
    if (word === 'kni_name' && port && name && name !== '}') names.set(port, name);
  }
  return names;
}

function isPortBlock(keyword: string | undefined): boolean {
  return keyword === 'device' || keyword === 'bonding';
}

/** Reads the names from the file; an unreadable file gives none. */
export function readKniNames(configPath: string): Map<string, string> {
  try {
    return configuredKniNames(readRegular(realpathSync(configPath)).bytes.toString('utf8'));
  } catch {
    return new Map(); // the file is absent or may not be read: the default names hold
  }
}

/** The interface of a port when it is known: it is configured, or exists under its usual name. */
export function kniName(
  port: string,
  configured: ReadonlyMap<string, string>,
  netDir = '/sys/class/net',
): string | undefined {
  const usual = `${port}.kni`;
  return configured.get(port) ?? (existsSync(join(netDir, usual)) ? usual : undefined);
}
