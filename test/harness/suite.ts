/** Runs other tests as one test: the same ones under other conditions. */
import { spawnSync } from 'node:child_process';
import t, { type Test } from 'tap';
import { projectFile } from '../../src/system/location.js';

/** The exit code that says that the conditions cannot be had here. */
const SKIPPED = 77;

/** What is run. */
export interface Suite {
  /** Below scripts/. */
  script: string;
  words: string[];
  limitMs: number;
  /** Fewer assertions than this are not the whole. */
  atLeast: number;
  skip: string | false;
}

/** Runs a script whose last line is that of the test runner. */
export function testSuite(name: string, { script, words, limitMs, atLeast, skip }: Suite): void {
  t.test(name, { skip }, async (t: Test) => {
    const options = { encoding: 'utf8', timeout: limitMs } as const;
    const { status, signal, stdout, stderr } = spawnSync(projectFile(`scripts/${script}`), words, options);
    if (status === SKIPPED) {
      t.pass(name, { skip: stderr.trim().replace(/^.*\n/s, '') });
      return;
    }
    const result = /(\d+) passed, (\d+) failed, (\d+) skipped\s*$/.exec(stdout);
    t.match({ status, signal }, { status: 0, signal: null }, `${stdout.slice(-4000)}\n${stderr.slice(-2000)}`);
    t.ok(Number(result?.[1]) > atLeast, 'and they were many');
    t.comment(stdout);
  });
}
