/**
 * Finds the project's files, for modules in both of their forms: compiled (dist/src/) and bundled (dist/bundle/). No
 * other module may find files by its own URL.
 */
import { existsSync } from 'node:fs';
import { dirname, extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

const THIS = fileURLToPath(import.meta.url);
const ROOT = rootAbove(THIS);
/** A bundle is a CommonJS file. */
const IS_BUNDLED = extname(THIS) === '.cjs';

/** A project file by its path from the root, such as `package.json`; an empty path gives the root with a slash. */
export function projectFile(path: string): string {
  return join(ROOT, '/', path);
}

/** The entry file of another process of dpcap, in the form that this process has. */
export function entryFile(name: 'engine' | 'watchdog' | 'printer'): string {
  return projectFile(IS_BUNDLED ? `dist/bundle/${name}.cjs` : `dist/src/${name}/main.js`);
}

function rootAbove(file: string): string {
  const folder = dirname(file);
  if (folder === file) throw new Error(`there is no package.json above ${THIS}`);
  return existsSync(join(folder, 'package.json')) ? folder : rootAbove(folder);
}
