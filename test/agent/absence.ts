import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { loadedAbi, whyNoAgent } from '../../src/agent/absence.js';
import { makeProcess } from '../primary/helpers/fake-host.js';

const EAL = '7f00-7f01 r-xp 00000000 fe:00 1 /usr/lib/x86_64-linux-gnu/librte_eal.so.25.0\n';
const OTHER_EAL = EAL.replace('so.25', 'so.23');
const AGENT = '7f02-7f03 r-xp 00000000 fe:00 2 /usr/lib/dpcap/libdpcap_agent.dpdk23.so\n';

const CASES: [string, string | undefined, RegExp][] = [
  ['without', EAL, /^router \(pid 7\) has no agent: start it with -d.*dpcap agent path/],
  ['with that of another release', EAL + AGENT, /agent for another line of releases \(23, not 25\)/],
  ['with one that is silent', OTHER_EAL + AGENT, /does not serve anybody: its EAL is not set up, or it said why/],
  ['with one, and DPDK in the program', AGENT, /its EAL is not set up, or DPDK is in the program .*--export-dynamic/],
  ['of another user', undefined, /cannot be looked at/],
];
for (const [name, maps, expected] of CASES) {
  t.test(`a process ${name}`, async (t) => {
    const procDir = t.testdir();
    makeProcess(procDir, 7, ['router']);
    if (maps !== undefined) writeFileSync(join(procDir, '7', 'maps'), maps);
    t.match(whyNoAgent(7, procDir), expected);
  });
}

t.test('no process', async (t) => {
  t.equal(whyNoAgent(7, t.testdir()), 'there is no process 7');
});

t.test('the release of a process that has no files of DPDK', async (t) => {
  const procDir = t.testdir();
  makeProcess(procDir, 7, ['switch']);
  writeFileSync(join(procDir, '7', 'maps'), EAL);
  t.equal(loadedAbi(7, procDir), 25);
  t.equal(loadedAbi(8, procDir), undefined, 'no such process');
});
