/**
 * The files with defaults for options, in the order in which they hold: the machine's, then the user's. Each is one JSON
 * object: a command's name, and in it the values of its long options.
 */
import { homedir } from 'node:os';
import { dirname, join } from 'node:path';
import * as z from 'zod/mini';
import { asDpcapError, errnoOf, UsageError } from '../errors.js';
import { faultOfDir, readTrusted } from '../system/safe-file.js';

/** Names one file that is read instead of the usual ones; empty for none. */
export const VARIABLE = 'DPCAP_CONFIG';

const VALUE = z.union([z.string(), z.number(), z.boolean(), z.array(z.union([z.string(), z.number()]))]);
const CONTENT = z.record(z.string(), z.record(z.string(), VALUE));

/** What stands for an option: a switch is on with true, and an option that may be repeated has a list. */
export type ConfigValue = z.infer<typeof VALUE>;

/** By command, then by option without its dashes. */
export type ConfigContent = z.infer<typeof CONTENT>;

/** A place where a file may be, and what is there. */
export interface ConfigFile {
  path: string;
  /** Undefined when there is no file, or when it is not used. */
  content: ConfigContent | undefined;
  /** Why a file that is there is not used: another user could have written it. */
  fault?: string;
}

/**
 * Reads all of them.
 * @throws UsageError for a file that is no such object: a default that does not hold must not go unnoticed
 */
export function readConfig(env: NodeJS.ProcessEnv = process.env): ConfigFile[] {
  return placesOf(env).map(readFile);
}

function placesOf(env: NodeJS.ProcessEnv): string[] {
  const only = env[VARIABLE];
  if (only !== undefined) return only === '' ? [] : [only];
  const ofUser = env.XDG_CONFIG_HOME || join(homedir(), '.config');
  return ['/etc/dpcap/config.json', join(ofUser, 'dpcap', 'config.json')];
}

function readFile(path: string): ConfigFile {
  let text: string;
  try {
    text = readTrusted(path);
  } catch (cause) {
    if (errnoOf(cause) === 'ENOENT' || errnoOf(cause) === 'ENOTDIR') return { path, content: undefined };
    return { path, content: undefined, fault: asDpcapError(cause).message };
  }
  // The folder counts as well: who may write there can put another file in this one's place.
  const fault = faultOfDir(dirname(path));
  return fault === undefined ? { path, content: parse(path, text) } : { path, content: undefined, fault };
}

function parse(path: string, text: string): ConfigContent {
  const hint =
    'write {"capture": {"format": "pcapng", "interface": ["0"], "quiet": true}}; docs/configuration.md has more';
  const refuse = (why: string): UsageError =>
    new UsageError(`${path} is no configuration: ${why}`, { subject: path, hint });
  let json: unknown;
  try {
    json = JSON.parse(text);
  } catch (cause) {
    throw refuse(asDpcapError(cause).message);
  }
  const { data, error } = CONTENT.safeParse(json);
  if (data) return data;
  throw refuse(error.issues.map((issue) => `${issue.path.join('.') || 'the file'}: ${issue.message}`).join('; '));
}
