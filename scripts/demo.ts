/**
 * `npm run demo`: a stock dpdk-testpmd bridges two network namespaces; dpcap captures ping and HTTP from it.
 * Leaves two files in /tmp and nothing else, however it ends.
 */
import { readdirSync, rmSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import {
  atExit,
  type Bridge,
  bridgeTwoNamespaces,
  type HttpServer,
  type Running,
  requirements,
  startDpcap,
  startHttpServer,
  startTestpmd,
  type Testpmd,
  tcpdumpLines,
} from '../test/harness/index.js';
import { type Finding, judgeIcmp, judgeTcp } from './demo/verdict.js';

const PINGS = 3;
const ICMP_FILE = '/tmp/dpcap-icmp.pcap';
const TCP_FILE = '/tmp/dpcap-tcp.pcap';

/** What the demo shows the captures on. */
interface Stage {
  bridge: Bridge;
  testpmd: Testpmd;
  server: HttpServer;
}

/** Runs the demo and returns the exit code. */
async function main(): Promise<number> {
  const obstacle = requirements({ namespaces: true });
  if (obstacle) {
    console.error(`demo: cannot run here: ${obstacle}`);
    return 1;
  }
  const stage = await setStage();
  await capture(stage, ICMP_FILE, 'icmp');
  await capture(stage, TCP_FILE, 'tcp');
  await stage.server.stop();
  await stage.testpmd.stop();
  stage.bridge.close();
  const icmp = show(ICMP_FILE, (lines) => judgeIcmp(lines, PINGS));
  const tcp = show(TCP_FILE, judgeTcp);
  const kept = icmp && tcp;
  step(kept ? 'both captures are complete' : 'a capture is not what it should be');
  return kept ? 0 : 1;
}

async function setStage(): Promise<Stage> {
  step('two network namespaces, each with a cable to nowhere');
  const bridge = bridgeTwoNamespaces();
  step('a stock dpdk-testpmd that forwards between the cables');
  const testpmd = await startTestpmd({ vdevs: bridge.vdevs });
  await testpmd.command('start', /io packet forwarding/);
  const server = await startHttpServer(bridge.b);
  step(`a web server (${server.program}) at ${server.url}`);
  return { bridge, testpmd, server };
}

/** Captures `expression` into `file` while both kinds of traffic flow, so that the filter has something to do. */
async function capture(stage: Stage, file: string, expression: string): Promise<void> {
  rmSync(file, { force: true });
  removePartials(file);
  const forget = atExit(() => removePartials(file));
  const args = ['--file-prefix', stage.testpmd.prefix, '-i', '0', '-Q', 'both', '-w', file, expression];
  step(`dpcap ${args.join(' ')}`);
  const dpcap = startDpcap(args);
  await dpcap.expect(/capturing on/);
  await sendTraffic(stage);
  const { code, signal, stderr } = await dpcap.stop('SIGINT');
  forget();
  if (code !== 0) throw new Error(`dpcap ended with ${signal ?? `exit code ${code}`}:\n${stderr}`);
  process.stdout.write(indented(stderr.trimEnd().split('\n')));
}

async function sendTraffic({ bridge, server }: Stage): Promise<void> {
  step(`ping ${bridge.b.address}; curl ${server.url}`);
  await succeed(bridge.a.start('ping', ['-c', `${PINGS}`, '-i', '0.2', '-W', '2', bridge.b.address]));
  await succeed(bridge.a.start('curl', ['-sS', '--max-time', '10', server.url]));
  await untilConnectionsEnd(bridge);
}

async function succeed(running: Running): Promise<void> {
  const { code, stdout, stderr } = await running.wait();
  if (code !== 0) throw new Error(`${running.command}: exit code ${code}\n${stdout}${stderr}`);
}

/** curl ends before its connection does. Once both kernels are through with it, the last ACK has crossed. */
async function untilConnectionsEnd({ a, b }: Bridge): Promise<void> {
  for (let attempt = 0; attempt < 100; attempt++) {
    const states = [a, b].flatMap((side) => side.run('ss', ['-Htan']).match(/^\S+/gm) ?? []);
    if (states.every((state) => state === 'LISTEN' || state === 'TIME-WAIT')) return;
    await delay(20);
  }
  throw new Error('the HTTP connection does not end');
}

/** Prints a capture and what it proves; true when every promise is kept. */
function show(file: string, judge: (lines: string[]) => Finding[]): boolean {
  step(`tcpdump -nn -t -r ${file}`);
  const lines = tcpdumpLines(file);
  process.stdout.write(indented(lines));
  const findings = judge(lines);
  for (const { promise, kept } of findings) console.log(`${kept ? '  yes' : '   NO'}: ${promise}`);
  return findings.every(({ kept }) => kept);
}

function step(text: string): void {
  console.log(`==> ${text}`);
}

function indented(lines: string[]): string {
  return lines.map((line) => `    ${line}\n`).join('');
}

try {
  process.exitCode = await main();
} catch (error) {
  // Ctrl-C also reaches the children: one of them failing must not pass for a failed demo before the signal is seen.
  await delay(200);
  console.error(`demo: ${error instanceof Error ? error.message : String(error)}`);
  // Through the exit handlers, which take down whatever stands.
  process.exit(1);
}

/** What a capture that was killed left unfinished. */
function removePartials(file: string): void {
  const names = readdirSync(dirname(file)).filter(
    (name) => name.startsWith(`${basename(file)}.`) && name.endsWith('.partial'),
  );
  for (const name of names) rmSync(join(dirname(file), name), { force: true });
}
