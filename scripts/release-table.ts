/**
 * Writes docs/releases.md from what `npm run test:releases` found with each release of DPDK (build/releases):
 * `node dist/scripts/release-table.js`.
 */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { projectFile } from '../src/system/location.js';
import { type PeerResults, type Place, peerTables, type RunResults, releaseTable } from './testing/results.js';

const TESTS = `# What was tested with which release

Written by \`npm run test:releases\`, which runs the live tests with the DPDK of this system, of Debian 13 and of sid; not
by hand.
`;
const PEERS = `# dpcap beside DPDK's own tools

Written by \`npm run test:peers\`, which does the same with each of them; not by hand. \`-\` is what a tool has no words for. Where DPDK's
tools capture nothing from a stock testpmd, their programs number the mempool handlers otherwise than it does.
`;

/** What each release left in a folder of build/releases, oldest release first. */
function read<T extends Place>(folder: string): T[] {
  const path = projectFile(`build/releases/${folder}`);
  if (!existsSync(path)) return [];
  return readdirSync(path)
    .map((name) => JSON.parse(readFileSync(join(path, name), 'utf8')) as T)
    .sort((a, b) => a.dpdk.localeCompare(b.dpdk, 'en', { numeric: true }));
}

const runs = read<RunResults>('tests');
if (runs.length > 0) writeFileSync(projectFile('docs/releases.md'), `${TESTS}\n${releaseTable(runs)}\n`);
const peers = read<PeerResults>('peers');
if (peers.length > 0) writeFileSync(projectFile('docs/peers.md'), `${PEERS}\n${peerTables(peers)}\n`);
