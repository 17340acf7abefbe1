/** Exits with 0 when node_modules holds what package-lock.json asks for. Plain JavaScript: it runs before any build. */
import { readFileSync } from 'node:fs';

const read = (path) => JSON.parse(readFileSync(path, 'utf8')).packages;

/** Optional packages are left out: most of them are for other platforms. */
function modulesMatch() {
  const wanted = Object.entries(read('package-lock.json')).filter(([path, entry]) => path !== '' && !entry.optional);
  const installed = read('node_modules/.package-lock.json');
  return wanted.every(([path, entry]) => installed[path]?.version === entry.version);
}

try {
  process.exitCode = modulesMatch() ? 0 : 1;
} catch {
  process.exitCode = 1; // no node_modules, or an installation that npm did not finish
}
