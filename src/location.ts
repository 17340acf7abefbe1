/**
 * Where the project's files are. This module's file lies two folders below the project's root in both of its forms,
 * compiled (dist/src/) and bundled (dist/bundle/), and so do the entry files beside it: nothing else may find files by its own
 * URL.
 */
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';

/** A file of the project by its path from the root, such as `package.json`. */
export function projectFile(path: string): string {
  return fileURLToPath(new URL(`../../${path}`, import.meta.url));
}

/** The entry file of a process of ours, in the form that this process runs in. */
export function entryFile(name: 'engine' | 'watchdog'): string {
  return fileURLToPath(new URL(name + extname(import.meta.url), import.meta.url));
}
