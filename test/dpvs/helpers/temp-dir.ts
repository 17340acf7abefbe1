/** Short-lived directories with short names: the path of a socket has room for 107 bytes, and tap's own are longer. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** A new directory that goes with the test. */
export function tempDir(t: { teardown(undo: () => void): void }): string {
  const dir = mkdtempSync(join(tmpdir(), 'dpvs-'));
  t.teardown(() => rmSync(dir, { recursive: true, force: true }));
  return dir;
}
