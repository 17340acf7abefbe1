/** Finds out, in the supervisor, where files that follow one another are written: their names are made beside `-w`. */
import { accessSync, constants, type Stats, statSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { UsageError } from '../../errors.js';
import { cannotWrite } from '../cannot-write.js';
import type { FileOwner } from '../file-owner.js';
import type { OutputTarget } from '../output-target.js';
import { unfinishedName } from '../unfinished.js';

/**
 * The output for files whose names are made from `path`. What has that name itself is not touched, and no link is
 * followed: a file gets its name by renaming, which replaces a link.
 * @throws UsageError for what names no file, DpcapError ERR_SINK_OPEN when no file can be made there
 */
export function rotationTarget(path: string, owner?: FileOwner): OutputTarget {
  const stats = statOf(path);
  if (stats?.isDirectory() || path.endsWith('/') || ['', '.', '..'].includes(basename(path))) {
    throw new UsageError(`-w: ${path} is a directory`, {
      code: 'ERR_SINK_OPEN',
      subject: path,
      hint: 'give a file name in it',
    });
  }
  if (stats && !stats.isFile()) {
    throw new UsageError(`-w: ${path} is no file, and files cannot follow one another there`, {
      subject: path,
      hint: 'give a file name in a directory, or write to it without -b, -C and -G',
    });
  }
  try {
    accessSync(dirname(path), constants.W_OK | constants.X_OK);
  } catch (cause) {
    throw cannotWrite(path, cause);
  }
  return { to: { kind: 'file', path, unfinished: unfinishedName(path), ...(owner ? { owner } : {}) } };
}

function statOf(path: string): Stats | undefined {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch (cause) {
    throw cannotWrite(path, cause);
  }
}
