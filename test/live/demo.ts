import { existsSync, readdirSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { lastingLeftovers, type Running, requirements, start } from '../harness/index.js';

const DEMO = fileURLToPath(new URL('../../scripts/demo.js', import.meta.url));
const FILES = ['/tmp/dpcap-icmp.pcap', '/tmp/dpcap-tcp.pcap'];
const skip = requirements({ namespaces: true });

/** In a session of its own, as from a terminal: Ctrl-C reaches everything it has started at the same moment. */
function startDemo(): Running {
  return start('setsid', [process.execPath, DEMO]);
}

t.test('the demo keeps its promises', { skip }, async (t) => {
  const demo = startDemo();
  const { code, stdout, stderr } = await demo.wait(60_000);
  t.equal(code, 0, stderr);
  t.match(stdout, /both captures are complete\n$/);
  t.notMatch(stdout, /NO:/);
  for (const file of FILES) t.ok(existsSync(file), file);
  t.same(await lastingLeftovers(demo.pid), []);
});

/** What was being written of a file: `FILE.PID-RANDOM.partial`. */
function unfinished(file: string): string[] {
  const isOf = (name: string): boolean => name.startsWith(`${basename(file)}.`) && name.endsWith('.partial');
  return readdirSync(dirname(file)).filter(isOf);
}

for (const [stage, mark] of [
  ['the namespaces are made', /cable to nowhere/],
  ['testpmd starts', /stock dpdk-testpmd/],
  ['the server runs', /a web server/],
  ['the first capture starts', /-w \S+icmp\.pcap/],
  ['traffic flows', /==> ping/],
  ['the second capture runs', /tcp\.pcap tcp\n==> ping/],
] as const) {
  for (const [how, interrupt] of [
    ['Ctrl-C', (demo: Running) => process.kill(-demo.pid, 'SIGINT')],
    ['SIGTERM', (demo: Running) => demo.signal('SIGTERM')],
  ] as const) {
    t.test(`${how} while ${stage}`, { skip }, async (t) => {
      const demo = startDemo();
      await demo.expect(mark);
      interrupt(demo);
      const { code, signal } = await demo.wait();
      t.ok(code === 130 || code === 143 || signal !== null, `exit code ${code}`);
      t.same(await lastingLeftovers(demo.pid), []);
      t.same(FILES.flatMap(unfinished), [], 'and nothing unfinished');
    });
  }
}
