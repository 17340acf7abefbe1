/** Named filters are text files in the project's filters/ and the user's own: comment lines, then one expression. */
import { readdirSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { DpcapError, errnoOf, UsageError } from '../../errors.js';
import { projectFile } from '../../system/location.js';
import { didYouMean } from '../../text/suggest.js';

export interface NamedFilter {
  name: string;
  /** The comment lines, without `#`; the first says what the filter selects. */
  description: string;
  expression: string;
  path: string;
}

const OURS = projectFile('filters');
const NAME = /^[A-Za-z0-9][-_.A-Za-z0-9]*$/;

/** The folders that hold filters; a file in a later folder replaces one of the same name in an earlier folder. */
export function filterFolders(env: NodeJS.ProcessEnv = process.env): string[] {
  // The XDG specification says that a relative path is to be ignored.
  const config = env.XDG_CONFIG_HOME?.startsWith('/') ? env.XDG_CONFIG_HOME : join(env.HOME ?? homedir(), '.config');
  return [OURS, join(config, 'dpcap', 'filters')];
}

/** All filters by name, in alphabetical order. A folder that does not exist counts as empty. */
export function listFilters(folders: readonly string[] = filterFolders()): NamedFilter[] {
  const byName = new Map<string, NamedFilter>();
  for (const folder of folders) {
    for (const name of names(folder)) byName.set(name, readFilter(name, join(folder, name)));
  }
  return [...byName.values()].sort((a, b) => a.name.localeCompare(b.name));
}

/**
 * One filter by name.
 * @throws UsageError ERR_FILTER_UNKNOWN when there is no such file
 */
export function findFilter(name: string, folders: readonly string[] = filterFolders()): NamedFilter {
  const folder = NAME.test(name) ? folders.findLast((candidate) => names(candidate).includes(name)) : undefined;
  if (folder) return readFilter(name, join(folder, name));
  const hint = didYouMean(name, folders.flatMap(names)) ?? '`dpcap filters` lists those there are';
  throw new UsageError(`no filter is named \`${name}\``, { code: 'ERR_FILTER_UNKNOWN', subject: name, hint });
}

/** The files (not folders) with a plausible name; editors' backups and hidden files are left out. */
function names(folder: string): string[] {
  try {
    const entries = readdirSync(folder, { withFileTypes: true });
    return entries.filter((entry) => !entry.isDirectory() && NAME.test(entry.name)).map((entry) => entry.name);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT' || errnoOf(error) === 'ENOTDIR') return [];
    throw unreadable(folder, error);
  }
}

function readFilter(name: string, path: string): NamedFilter {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (error) {
    throw unreadable(path, error);
  }
  const lines = text.split('\n').map((line) => line.trim());
  const comments = lines.filter((line) => line.startsWith('#')).map((line) => line.replace(/^#+\s?/, ''));
  const expression = lines.filter((line) => line !== '' && !line.startsWith('#')).join(' ');
  return { name, description: comments.join('\n'), expression, path };
}

function unreadable(path: string, cause: unknown): DpcapError {
  const hint = 'make it readable, or remove it';
  return new DpcapError('ERR_SYSTEM', `cannot read ${path}`, { cause, subject: path, errno: errnoOf(cause), hint });
}
