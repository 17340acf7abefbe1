/** Finds the test files: each test/**.ts that is not a helper or a fixture, through its compiled twin in dist/. */
import { readdirSync } from 'node:fs';
import { join, relative, sep } from 'node:path';

/** Test files by how they may be run. Paths are relative to the project, without extension: "test/live/capture". */
export interface TestFiles {
  /** Independent of the host: may run side by side. */
  unit: string[];
  /** Share hugepages and CPUs: one after another. */
  live: string[];
}

const NOT_TESTS = new Set(['harness', 'helpers', 'fixtures']);

/**
 * All test files under `root`/test, sorted, those that take long first. The sources are listed rather than dist/, so that a test deleted from the
 * sources is gone although its compiled file still lies about.
 * @param filters when given, only paths that contain one of them
 */
export function discoverTests(root: string, filters: string[] = []): TestFiles {
  const wanted = filters.map((filter) => filter.replace(/^\.\//, '').replace(/\.(ts|js)$/, ''));
  const names = walk(join(root, 'test'))
    .map((path) => relative(root, path).split(sep).join('/').replace(/\.ts$/, ''))
    .filter((name) => wanted.length === 0 || wanted.some((filter) => name.includes(filter)))
    .sort();
  const unit = names.filter((name) => !name.startsWith('test/live/'));
  return {
    unit: [...unit.filter(takesLong), ...unit.filter((name) => !takesLong(name))],
    live: names.filter((name) => name.startsWith('test/live/')),
  };
}

/** Whether it builds native tests first. These go first, or one of them would run alone in the end. */
const takesLong = (name: string): boolean => /^test\/native(-\w+)?$/.test(name);

function walk(folder: string): string[] {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    if (entry.isDirectory()) return NOT_TESTS.has(entry.name) ? [] : walk(join(folder, entry.name));
    return entry.name.endsWith('.ts') && !entry.name.endsWith('.d.ts') ? [join(folder, entry.name)] : [];
  });
}
