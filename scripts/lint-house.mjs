/**
 * The floor plan, held: who may import whom, how much a folder may hold, and that what is written about files and errors is
 * true. Plain JavaScript: it runs before any build. Prints what is wrong, and exits with 1 then.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';

const MOST_FILES = 15;
const MOST_LINES = 300;
/** Who must not import whom, below src/: [who, whom, why]. */
const FORBIDDEN = [
  [/^engine\//, /^(cli|supervisor)\//, 'the engine carries out a plan; it knows nobody who makes one'],
  [
    /^supervisor\//,
    /^(cli|engine)\//,
    'the supervisor shares src/protocol with the engine, and knows no words of options',
  ],
  [/^(protocol|text|sinks)\//, /^(cli|supervisor|engine)\//, 'what all processes share depends on none of them'],
  [/^(?!cli\/|main\.ts)/, /^cli\//, 'only the command line knows how things are typed'],
];
/** The folders of native/ that each folder may include from, besides itself; whether it may include DPDK's headers. */
const NATIVE = {
  base: { from: [], dpdk: false },
  record: { from: ['base'], dpdk: false },
  // The headers of tunnels, in C: also for what lives in an application.
  tunnel: { from: [], dpdk: false },
  sink: { from: ['base', 'record', 'tunnel', 'codec'], dpdk: false },
  capture: { from: ['base', 'record', 'sink'], dpdk: false },
  // From packets in mbufs to records and frames: what comes by pdump's rings, and what comes by eBPF.
  mbuf: { from: ['base', 'record', 'sink', 'capture'], dpdk: true },
  filter: { from: ['base'], dpdk: true },
  host: { from: ['base'], dpdk: true },
  primary: { from: ['base', 'host'], dpdk: true },
  pdump: { from: ['base', 'record', 'sink', 'capture', 'mbuf', 'filter', 'primary'], dpdk: true },
  ebpf: { from: ['base', 'record', 'sink', 'capture', 'mbuf', 'filter', 'ebpf/kernel'], dpdk: true },
  // What is compiled for the kernel, and its words with the engine.
  'ebpf/kernel': { from: [], dpdk: false },
  agent: { from: ['base', 'record', 'sink', 'capture'], dpdk: false },
  inject: { from: ['base'], dpdk: false },
  codec: { from: ['base'], dpdk: false },
  reader: {
    from: ['base', 'record', 'sink', 'capture', 'filter', 'codec', 'reader/input', 'reader/format'],
    dpdk: false,
  },
  'reader/input': { from: ['base', 'codec'], dpdk: false },
  'reader/format': { from: ['base', 'record', 'reader/input'], dpdk: false },
  recorder: { from: ['base', 'record', 'sink', 'agent'], dpdk: false },
  mirror: { from: ['base', 'agent'], dpdk: false },
  // What lives in the application: it shares headers with the engine (C), the interpreter of filters, and tunnels' headers.
  'agent/library': { from: ['agent', 'mbuf', 'record', 'filter', 'tunnel'], dpdk: true },
};
/** The part of a command that is made for another one. */
const SHARED = 'cli/commands/mirror/during-capture.ts';

const wrong = [];

function filesBelow(folder) {
  return readdirSync(folder, { withFileTypes: true, recursive: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name));
}

/** File to the files it imports, both from src/ on. */
function importsOf(files) {
  const statement = /^(?:import|export)\s[^;]*?from\s+'(\.[^']+)\.js'|import\('(\.[^']+)\.js'\)/gms;
  return new Map(
    files.map((file) => {
      const found = [...readFileSync(join('src', file), 'utf8').matchAll(statement)];
      return [file, found.map(([, fixed, late]) => normalize(join(dirname(file), `${fixed ?? late}.ts`)))];
    }),
  );
}

/** The command that a file below cli/commands belongs to. */
function commandOf(file) {
  return /^cli\/commands\/([\w-]+)/.exec(file)?.[1];
}

function checkImports(graph) {
  for (const [file, imported] of graph) {
    for (const other of imported) {
      for (const [who, whom, why] of FORBIDDEN) {
        if (who.test(file) && whom.test(other)) wrong.push(`src/${file} imports src/${other}: ${why}`);
      }
      const [own, foreign] = [commandOf(file), commandOf(other)];
      if (own && foreign && own !== foreign && other !== SHARED) {
        wrong.push(`src/${file} imports src/${other}: commands do not import one another`);
      }
    }
  }
}

function checkCircles(graph) {
  const state = new Map();
  const visit = (file, path) => {
    if (state.get(file) === 'done') return;
    if (state.get(file) === 'open') {
      wrong.push(`a circle of imports: ${[...path.slice(path.indexOf(file)), file].join(' -> ')}`);
      return;
    }
    state.set(file, 'open');
    for (const other of graph.get(file) ?? []) visit(other, [...path, file]);
    state.set(file, 'done');
  };
  for (const file of graph.keys()) visit(file, []);
}

/** The folder of NATIVE that a file of native/ is in: the innermost one. */
function nativeFolderOf(file) {
  return Object.keys(NATIVE)
    .filter((folder) => file.startsWith(`${join('native', folder)}/`))
    .sort((a, b) => b.length - a.length)[0];
}

/** Only pdump/ knows mbufs, and what carries its records does not know it. */
function checkNative() {
  for (const [folder, { from, dpdk }] of Object.entries(NATIVE)) {
    for (const file of filesBelow(join('native', folder))) {
      if (nativeFolderOf(file) !== folder) continue;
      for (const [, other] of readFileSync(file, 'utf8').matchAll(/^#include ["<]([\w./]+)[">]/gm)) {
        const isForeign = /^rte_/.test(other)
          ? !dpdk
          : existsSync(join('native', other)) && ![folder, ...from].includes(nativeFolderOf(join('native', other)));
        if (isForeign) wrong.push(`${file} includes ${other}: ${folder}/ does not know it`);
      }
    }
  }
}

function checkFolders(files) {
  const counts = new Map();
  for (const file of files) counts.set(dirname(file), (counts.get(dirname(file)) ?? 0) + 1);
  for (const [folder, count] of counts) {
    if (count > MOST_FILES) wrong.push(`${folder} holds ${count} files, more than ${MOST_FILES}: give it folders`);
  }
}

function checkLengths(files) {
  for (const file of files) {
    const lines = readFileSync(file, 'utf8').split('\n').length - 1;
    if (lines > MOST_LINES) wrong.push(`${file} has ${lines} lines, more than ${MOST_LINES}: what else is in it?`);
  }
}

/** Every file that the README's table names, a folder or a file of the folder named before it. */
function checkReadme() {
  const rows = readFileSync('README.md', 'utf8')
    .split('\n')
    .filter((line) => line.startsWith('|'));
  for (const row of rows) {
    for (const [, path] of row.matchAll(
      /`((?:src|native|scripts|bench|test|docs|bin|filters|examples)\/[\w./*-]*)`/g,
    )) {
      const found = path.includes('*') ? existsSync(dirname(path)) : existsSync(path);
      if (!found) wrong.push(`README.md names ${path}, which is not there`);
    }
  }
}

/** Where a comment says which test shows what it tells, there is that test. */
function checkCitedTests() {
  for (const file of ['src', 'native', 'include'].filter(existsSync).flatMap(filesBelow)) {
    for (const [path] of readFileSync(file, 'utf8').matchAll(/\btest\/[\w/-]+\.(?:ts|cc|c)\b/g)) {
      if (!existsSync(path)) wrong.push(`${file} names ${path}, which is not there`);
    }
  }
}

/** TypeScript's es2023 has findLast(), which node 18 knows, and these, which it does not (they came with node 20). */
function checkOldNode() {
  for (const file of sources) {
    const [call] = readFileSync(join('src', file), 'utf8').match(/\.(with|toSorted|toReversed|toSpliced)\(/) ?? [];
    if (call) wrong.push(`src/${file} calls ${call.slice(1)}), which Debian 12's node does not have`);
  }
}

function checkErrorCodes() {
  const known = new Set(readFileSync('src/errors.ts', 'utf8').match(/ERR_[A-Z_]+/g));
  const told = new Set(readFileSync('docs/errors.md', 'utf8').match(/ERR_[A-Z_]+/g));
  for (const code of known) if (!told.has(code)) wrong.push(`docs/errors.md does not tell of ${code}`);
  for (const code of told) if (!known.has(code)) wrong.push(`docs/errors.md tells of ${code}, which there is not`);
}

const sources = filesBelow('src').map((file) => file.slice('src/'.length));
const graph = importsOf(sources);
checkImports(graph);
checkCircles(graph);
checkNative();
checkFolders([...filesBelow('src'), ...filesBelow('native')]);
checkLengths(['src', 'native', 'test', 'scripts', 'bench'].flatMap(filesBelow));
checkReadme();
checkCitedTests();
checkOldNode();
checkErrorCodes();
for (const line of wrong) console.error(`lint: ${line}`);
process.exitCode = wrong.length > 0 ? 1 : 0;
