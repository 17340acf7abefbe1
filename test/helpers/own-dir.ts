/**
 * A directory that nobody else could change, as a state directory must be: below /tmp, which is root's and sticky. tap's own
 * lie in the checkout, which may be another user's than the one who runs the tests.
 */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** Files and folders by name. */
export interface Content {
  [name: string]: string | Content;
}

/** A new directory with this content; it goes with the test. */
export function ownDir(t: { teardown(undo: () => void): void }, content: Content = {}): string {
  const dir = mkdtempSync(join(tmpdir(), 'dpcap-test-'));
  t.teardown(() => rmSync(dir, { recursive: true, force: true }));
  fill(dir, content);
  return dir;
}

function fill(dir: string, content: Content): void {
  for (const [name, what] of Object.entries(content)) {
    if (typeof what === 'string') writeFileSync(join(dir, name), what);
    else mkdirSync(join(dir, name));
    if (typeof what !== 'string') fill(join(dir, name), what);
  }
}
