/**
 * Writes docs/releases.md from what the runs with each release of DPDK found (build/releases/*.json, which `npm run
 * test:releases` writes): `node dist/scripts/release-table.js`.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { projectFile } from '../src/system/location.js';
import { type RunResults, releaseTable } from './testing/results.js';

const INTRODUCTION = `# What was tested with which release

Written by \`npm run test:releases\`, which runs the live tests with the DPDK of this system, of Debian 13 and of sid; not
by hand.
`;

const folder = projectFile('build/releases');
const runs = readdirSync(folder)
  .filter((name) => name.endsWith('.json'))
  .map((name) => JSON.parse(readFileSync(join(folder, name), 'utf8')) as RunResults)
  .sort((a, b) => a.dpdk.localeCompare(b.dpdk, 'en', { numeric: true }));
writeFileSync(projectFile('docs/releases.md'), `${INTRODUCTION}\n${releaseTable(runs)}\n`);
