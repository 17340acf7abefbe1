/** Captures of a trial, with whatever options people use. */
import { join } from 'node:path';
import { projectFile } from '../../../src/system/location.js';
import type { Random } from '../../helpers/random.js';
import { type Captured, LiveCapture } from '../capture.js';
import { kniName } from '../forwarder.js';
import { start, startDpcap } from '../processes.js';
import type { Capture, World } from './world.js';

/** How long one may take to start: the primary may be paused for 7 s meanwhile. */
const START_MS = 30_000;
const COMMON = ['--stats', 'ndjson', '--stats-interval', '0.1'];
const FILTERS = ['', 'tcp port 80', 'len >= 64', 'not tcp', 'ether[0] = 0'];
/** Takes 64 KiB and pauses; ends with its writer. */
const SLOW_READER = 'while [ $(head -c 65536 | wc -c) -gt 0 ]; do sleep 0.01; done 2> /dev/null';

/** What is typed after `dpcap`, in random order of kinds. */
interface Choice {
  words: string[];
  reader: 'none' | 'slow';
}

function choose(random: Random, folder: string): Choice {
  const memory = random.pick([[], ['-B', '16384'], ['-B', '65536']]);
  if (random.chance(6)) {
    return { words: ['forward2kni', random.pick(['0', '1']), 'on', '--name', kniName(), ...memory], reader: 'none' };
  }
  const port = ['-i', random.pick(['0', '1', 'any'])];
  const direction = random.pick([[], ['-Q', 'rx'], ['-Q', 'tx']]);
  const stamps = random.pick([[], [], ['-j', 'host']]);
  const filter = random.pick(FILTERS).split(' ').filter(Boolean);
  const output = random.pick(['/dev/null', 'file', 'pipe']);
  // A file of a capture at full load fills a disk: small records, and not for long.
  const file = output === 'file' ? ['-s', '20', '-a', 'filesize:200000'] : [];
  const write = output === 'file' ? join(folder, `${random.uint32()}.pcap`) : output === 'pipe' ? '-' : output;
  const options = [...port, ...direction, ...stamps, ...memory, ...file, '-w', write];
  return { words: ['capture', ...options, ...filter], reader: output === 'pipe' ? 'slow' : 'none' };
}

/** Starts one and adds it to the world. It may still be refused. */
export function launch(world: World, random: Random, env: NodeJS.ProcessEnv = {}): Capture {
  const { words, reader } = choose(random, world.folder);
  const statistics = words[0] === 'forward2kni' ? ['--json'] : COMMON;
  const [command = '', ...rest] = words;
  const all = [command, '--file-prefix', world.prefix, ...statistics, ...rest];
  const process = reader === 'slow' ? startBefore(SLOW_READER, all, env) : startDpcap(all, { env });
  process.closeStdin();
  const capture = {
    running: new LiveCapture(process),
    words: words.join(' '),
    isSteady: words.includes('-B'),
    isKilled: false,
  };
  world.captures.add(capture);
  return capture;
}

/** Starts dpcap with its standard output into a shell's command. */
function startBefore(reader: string, words: string[], env: NodeJS.ProcessEnv) {
  const bin = [process.execPath, projectFile('bin/dpcap.cjs')];
  return start('bash', ['-c', `exec "$@" > >(${reader})`, 'bash', ...bin, ...words], { env });
}

/** Resolves with whether it has started; else it has ended. */
export async function hasStarted({ running }: Capture): Promise<boolean> {
  const started = running.started(START_MS).then(
    () => true,
    () => false,
  );
  return started;
}

/** Starts one, and waits until it captures or has been refused. Resolves with what came of it. */
export async function startRandomCapture(world: World, random: Random, env: NodeJS.ProcessEnv = {}): Promise<string> {
  const capture = launch(world, random, env);
  if (await hasStarted(capture)) return `${capture.words}: started`;
  return `${capture.words}: refused: ${firstWords(await world.ended(capture))}`;
}

/** What a capture said first, also when it said it as JSON. */
export function firstWords({ messages, stderr }: Pick<Captured, 'messages' | 'stderr'>): string {
  const json = /^\{.*"message":"([^"]*)"/m.exec(stderr)?.[1];
  return messages.trim().split('\n')[0] || json || '';
}
