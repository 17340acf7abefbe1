/** The benchmark works: each figure comes out of it. It says nothing about speed. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import type { Summary } from '../../bench/sample.js';
import { requirements } from '../harness/index.js';
import { findOpenVswitch } from '../harness/open-vswitch.js';
import { lacksProbes } from '../harness/probes.js';

const RUN = fileURLToPath(new URL('../../bench/run.js', import.meta.url));

t.test(
  'npm run bench -- --quick',
  { skip: requirements({ hugepagesMb: 512, tools: ['cmake'] }), timeout: 300_000 },
  async (t) => {
    const folder = t.testdir();
    const json = join(folder, 'figures.json');
    const words = ['--quick', '--directory', folder, '--json', json];
    const tables = execFileSync(process.execPath, [RUN, ...words], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const figures = JSON.parse(readFileSync(json, 'utf8')) as Summary[];
    const names = new Set(figures.map(({ figure }) => figure));
    for (const name of names) {
      t.match(tables, `### ${name}`);
      const ours = figures.filter(({ figure, tool }) => figure === name && /^dpcap/.test(tool));
      t.ok(ours.length > 0 && ours.every(({ median }) => Number.isFinite(median)), `${name}: ${JSON.stringify(ours)}`);
    }
    const expected = 12 + (lacksProbes() ? 0 : 4) + (findOpenVswitch().reason ? 4 : 6);
    t.equal(names.size, expected, [...names].join(', '));
  },
);
