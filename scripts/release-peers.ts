/**
 * Does the same with dpcap, dpdk-dumpcap and dpdk-pdump, with the DPDK of this system, and keeps what came of it in a file:
 * `node dist/scripts/release-peers.js FILE`. Nothing here is judged: the others may do what they do.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { DPCAP_PCAP, DUMPCAP, PDUMP } from '../bench/tools.js';
import { CASES, runCase } from './peers/cases.js';
import { place } from './testing/place.js';
import type { PeerResults } from './testing/results.js';

const TOOLS = [DPCAP_PCAP, DUMPCAP, PDUMP];

const file = process.argv[2];
if (file === undefined) throw new Error('usage: release-peers FILE');
const results: PeerResults = { ...place(), tools: TOOLS.map(({ name }) => name), cases: [] };
for (const one of CASES) {
  const found: string[] = [];
  for (const tool of TOOLS) {
    found.push(await runCase(one, tool));
    console.log(`${one.name}, ${tool.name}: ${found.at(-1)}`);
  }
  results.cases.push({ name: one.name, found });
}
mkdirSync(dirname(file), { recursive: true });
writeFileSync(file, `${JSON.stringify(results, undefined, 2)}\n`);
