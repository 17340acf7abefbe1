/** What users do with such a tool, and what comes of it, in a few words. */
import { join } from 'node:path';
import type { Request, Tool } from '../../bench/tools.js';
import { writePcap } from '../../test/harness/index.js';
import { joinAsSecondary } from '../../test/harness/secondary.js';
import { ether, icmp, ipv4, tcp } from '../../test/helpers/frames.js';
import { Trial } from './trial.js';

const STOPS = 10;
const COUNT = 1000;
const MOST_S_AWAY = 3600;
const SYN = 2;
const ACK = 16;
const [ICMP, TCP] = [1, 6];
const [ECHO_REPLY, ECHO] = [0, 8];

/** One thing that users do. */
export interface PeerCase {
  name: string;
  /** What the tool must have words for; `-` otherwise. */
  asks?: Partial<Request>;
  /** The primary's huge pages, MiB; default 256. */
  memoryMb?: number;
  act(trial: Trial): Promise<string>;
}

export const CASES: PeerCase[] = [
  { name: 'a stock testpmd at full load', act: captureOnce },
  { name: `\`-c ${COUNT}\``, asks: { count: COUNT }, act: captureCounted },
  { name: 'time of the packets', act: timeOfPackets },
  ...['icmp[icmptype] == icmp-echo', 'tcp[tcpflags] & tcp-syn != 0'].map((filter) => ({
    name: `\`${filter}\``,
    asks: { filter },
    act: (trial: Trial) => captureFiltered(trial, filter),
  })),
  { name: `${STOPS} captures one after the other`, act: captureAgain },
  { name: 'a capture after a `kill -9`', act: captureAfterKill },
  { name: 'beside a secondary that is stopped, `-m 64`', memoryMb: 64, act: besideStopped },
];

/** What came of one with a tool; and of the primary, unless it goes on as if nothing had been. */
export async function runCase({ asks = {}, memoryMb = 256, act }: PeerCase, tool: Tool): Promise<string> {
  if (tool.command({ prefix: '', output: '', ...asks }) === undefined) return '-';
  const trial = await Trial.begin(tool, mixedPackets, memoryMb);
  try {
    const found = await act(trial);
    if (!trial.primary.alive()) return `${found}; **the primary dies**`;
    return (await trial.livesOn()) ? found : `${found}; **the primary does not answer for 10 s**`;
  } finally {
    await trial.close();
  }
}

/** A port that receives these for ever: of each filter above, some that match and some that do not. */
function mixedPackets(folder: string): string {
  const file = join(folder, 'in.pcap');
  const frames = [
    ...[ECHO, ECHO_REPLY].map((type) => ipv4(ICMP, icmp(type))),
    ...[SYN, ACK, SYN + ACK].map((flags) => ipv4(TCP, tcp(40000, 80, flags))),
  ];
  writePcap(
    file,
    frames.map((frame) => ether(0x0800, frame)),
  );
  return `net_pcap0,rx_pcap=${file},infinite_rx=1`;
}

async function captureOnce(trial: Trial, words: Partial<Request> = {}): Promise<string> {
  const running = trial.capture(words);
  await trial.firstPackets(running);
  const refused = !running.alive();
  if (!(await trial.end(running))) return 'does not end';
  if (trial.packets() > 0) return 'captures';
  return refused ? 'refuses' : 'captures nothing';
}

async function captureCounted(trial: Trial): Promise<string> {
  const running = trial.capture({ count: COUNT });
  await trial.untilEnded(running);
  const endedItself = !running.alive();
  await trial.end(running);
  return endedItself ? `${trial.packets()} packets` : `does not end; ${trial.packets()} packets`;
}

async function timeOfPackets(trial: Trial): Promise<string> {
  const found = await captureOnce(trial);
  const time = trial.firstTime();
  if (time === undefined) return found;
  return Math.abs(time - Date.now() / 1000) < MOST_S_AWAY ? 'right' : `the year ${yearOf(time)}`;
}

function yearOf(time: number): string {
  const date = new Date(time * 1000);
  return Number.isNaN(date.getTime()) ? `of ${time} s` : String(date.getUTCFullYear());
}

async function captureFiltered(trial: Trial, filter: string): Promise<string> {
  const found = await captureOnce(trial, { filter });
  const wrong = trial.packets(`not (${filter})`);
  if (trial.packets() === 0) return found;
  return wrong === 0 ? 'right' : `wrong: ${wrong} of ${trial.packets()} do not match`;
}

async function captureAgain(trial: Trial): Promise<string> {
  for (let capture = 1; capture <= STOPS; capture++) {
    const found = await captureOnce(trial);
    if (found !== 'captures' || !trial.primary.alive()) return `${found} at capture ${capture}`;
  }
  return 'captures';
}

async function captureAfterKill(trial: Trial): Promise<string> {
  const killed = trial.capture();
  await trial.firstPackets(killed);
  await trial.end(killed, 'SIGKILL');
  trial.clear();
  return captureOnce(trial);
}

async function besideStopped(trial: Trial): Promise<string> {
  const other = await joinAsSecondary(trial.primary);
  try {
    await other.stop();
    return await captureOnce(trial);
  } finally {
    await other.close();
  }
}
