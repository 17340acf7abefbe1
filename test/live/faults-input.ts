/** Mistakes, and hosts that are not ready: each is named, with its subject and a next step, and nothing is attached. */
import { closeSync, mkdirSync, openSync, readdirSync, readFileSync, readSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { startHostPrimary } from '../harness/host-primary.js';
import {
  balances,
  type Finished,
  requirements,
  runDpcap,
  runDpcapAsNobody,
  runDpcapSeeing,
  startCapture,
  startTestpmd,
  type Testpmd,
  underLoad,
} from '../harness/index.js';

const skip = requirements({ hugepagesMb: 320, tools: ['unshare', 'setpriv', 'dpdk-test'] });

/** @param words what the message and its hint must contain */
function refused(t: Test, name: string, finished: Finished, code: number, words: RegExp[]): void {
  t.match(finished, { code, signal: null }, `${name}: exit code ${code}`);
  const [message = '', ...hint] = finished.stderr.trim().split('\n');
  t.match(message, /^(dpcap|error): /, `${name}: ${finished.stderr.trim()}`);
  for (const word of words) t.match(finished.stderr, word, `${name}: says ${word}`);
  t.ok(hint.length > 0 || /from \d+ to \d+/.test(message), `${name}: says what to do next`);
  t.notMatch(finished.stderr, /^\s+at .*:\d+:\d+/m, `${name}: no stack trace`);
}

t.test('primaries that are not there, or too many', { skip }, async (t) => {
  refused(t, 'none', await runDpcapSeeing([], ['-w', '-']), 1, [/no DPDK primary process is running/, /start/]);
  const wrong = await runDpcap(['--file-prefix', 'dpcap-nonesuch', '-i', '0', '-w', '/dev/null']);
  refused(t, 'wrong prefix', wrong, 1, [/file prefix dpcap-nonesuch/]);
  const impossible = await runDpcap(['--file-prefix', '../etc', '-w', '/dev/null']);
  refused(t, 'impossible prefix', impossible, 2, [/\.\.\/etc/, /--file-prefix/]);

  const both = await Promise.all([startTestpmd({ vdevs: ['net_null0'] }), startTestpmd({ vdevs: ['net_null0'] })]);
  t.teardown(() => Promise.all(both.map((testpmd) => testpmd.stop())));
  const prefixes = both.map((testpmd) => testpmd.prefix);
  const words = [...prefixes.map((prefix) => new RegExp(prefix)), /--file-prefix/];
  refused(t, 'several', await runDpcapSeeing(prefixes, ['-w', '/dev/null']), 1, words);
  const only = await runDpcapSeeing(prefixes.slice(1), ['-w', '/dev/null', '--dry-run']);
  t.equal(only.code, 0, only.stderr);
  t.match(JSON.parse(only.stdout), { filePrefix: prefixes[1], primaryPid: Number }, 'the only one needs no prefix');

  const nobody = await runDpcapAsNobody(['--file-prefix', prefixes[0] ?? '', '-w', '/dev/null']);
  refused(t, 'unreadable runtime directory', nobody, 1, [/\/var\/run\/dpdk/, /EACCES/, /run dpcap as/]);

  await both[0].kill('SIGKILL', { keepFiles: true });
  const dead = await runDpcap(['--file-prefix', prefixes[0] ?? '', '-w', '/dev/null']);
  refused(t, 'dead', dead, 1, [new RegExp(prefixes[0] ?? '')]);
});

t.test('another version of DPDK', { skip }, async (t) => {
  const testpmd = await startTestpmd({ vdevs: ['net_null0'] });
  t.teardown(() => testpmd.stop());
  // The primary wrote its version there when it started, and never looks again.
  const config = openSync(`/var/run/dpdk/${testpmd.prefix}/config`, 'r+');
  t.teardown(() => closeSync(config));
  const version = Buffer.alloc(4);
  readSync(config, version, 0, 4, 4);
  writeSync(config, Buffer.from([99, 0, 11, 21]), 0, 4, 4);
  const finished = await runDpcap(['--file-prefix', testpmd.prefix, '-w', '/dev/null']);
  writeSync(config, version, 0, 4, 4);
  refused(t, 'version', finished, 1, [/21\.11\.0/, /22\.11\.\d+|2\d\.\d\d\.\d+/, /rebuild|restart/]);
});

t.test('an application that never called rte_pdump_init() is named at once', { skip }, async (t) => {
  const plain = await startHostPrimary({ program: '/usr/bin/dpdk-test', application: [], prompt: 'RTE>>' });
  t.teardown(() => plain.clean());
  const began = Date.now();
  const finished = await runDpcap(['--file-prefix', plain.filePrefix, '-i', '0', '-w', '/dev/null']);
  // An enable request to it would be given up after 5 s.
  t.ok(Date.now() - began < 4000, `after ${Date.now() - began} ms`);
  refused(t, 'no pdump', finished, 1, [/rte_pdump_init/, new RegExp(plain.filePrefix)]);
});

/** What is typed, the exit code, what is said about it. OUT is a directory of the test. */
const MISTAKES: [name: string, args: string[], code: number, words: RegExp[]][] = [
  ['port id', ['-i', '9', '-w', 'OUT/x'], 2, [/no port 9/, /0 \(net_null0\), 1 \(net_null1\)/]],
  ['port name', ['-i', 'eth0', '-w', 'OUT/x'], 2, [/no port eth0/, /net_null0/]],
  ['one port of two', ['-i', '0', '-i', '7', '-w', 'OUT/x'], 2, [/no port 7/]],
  ['queue', ['-i', '0', '--queue', '3', '-w', 'OUT/x'], 2, [/no such queue: 3/, /1 rx and 1 tx/]],
  ['queue beyond all', ['-i', '0', '--queue', '5000', '-w', 'OUT/x'], 2, [/5000/, /0,2-5/]],
  ['queue in words', ['-i', '0', '--queue', 'first', '-w', 'OUT/x'], 2, [/first/, /0,2-5/]],
  ['direction', ['-i', '0', '-Q', 'up', '-w', 'OUT/x'], 2, [/up/, /rx, tx or both/]],
  ['snaplen', ['-s', '262145', '-w', 'OUT/x'], 2, [/-s/, /262145/, /0 to 262144/]],
  ['negative snaplen', ['-s', '-1', '-w', 'OUT/x'], 2, [/-s|-1/]],
  ['snaplen in words', ['-s', 'all', '-w', 'OUT/x'], 2, [/-s/, /all/]],
  ['no packets', ['-c', '0', '-w', 'OUT/x'], 2, [/-c/, /0/]],
  ['buffer', ['-B', '1', '-w', 'OUT/x'], 2, [/-B/, /2048/]],
  ['limit', ['-a', 'parsecs:12', '-w', 'OUT/x'], 2, [/parsecs:12/, /duration:TIME/]],
  ['format', ['-F', 'erf', '-w', 'OUT/x'], 2, [/erf/, /pcapng/]],
  ['option', ['--nonesuch', '-w', 'OUT/x'], 2, [/--nonesuch/, /--help/]],
  ['no such folder', ['-w', 'OUT/none/x.pcap'], 1, [/OUT\/none\/x\.pcap/, /ENOENT/, /directory/]],
  ['may not write', ['-w', '/sys/kernel/x.pcap'], 1, [/\/sys\/kernel\/x\.pcap/, /EACCES|EPERM|EROFS/]],
  ['a directory', ['-w', 'OUT'], 2, [/OUT is a directory/, /file name/]],
  ['filter', ['-w', 'OUT/x', 'tcp', 'prot', '80'], 2, [/syntax error/, /prot/]],
  ['host of a filter', ['-w', 'OUT/x', 'host', '10.0.0.300'], 2, [/10\.0\.0\.300/]],
  ['unbalanced filter', ['-w', 'OUT/x', '(tcp', 'or', 'udp'], 2, [/syntax error/]],
];

t.test('mistakes in what was typed', { skip }, async (t) => {
  const testpmd = await underLoad(t);
  const before = await testpmd.snapshot();
  const out = join(t.testdir(), 'OUT');
  mkdirSync(out);
  writeFileSync(join(out, 'x'), 'yesterday');
  for (const [name, args, code, words] of MISTAKES) {
    const given = args.map((word) => word.replace(/^OUT/, out));
    refused(t, name, await runDpcap(['--file-prefix', testpmd.prefix, ...given]), code, words);
  }
  t.same(readdirSync(out), ['x'], 'no file appeared');
  t.equal(readFileSync(join(out, 'x'), 'utf8'), 'yesterday', 'and none was touched');
  const zero = await runDpcap(['--file-prefix', testpmd.prefix, '-s', '0', '-w', '/dev/null', '--dry-run']);
  t.equal(JSON.parse(zero.stdout).snaplen, 262144, 'snaplen 0 is the most, as in tcpdump');
  t.same(await testpmd.snapshot(), before, 'nothing was left in the primary');
  await seeThatPortsAreHeld(t, testpmd);
  t.same(await testpmd.snapshot(), before, 'nor by captures that got in each other’s way');
});

async function seeThatPortsAreHeld(t: Test, testpmd: Testpmd): Promise<void> {
  const holder = await startCapture(testpmd, ['-i', '1', '-Q', 'tx', '-s', '64', '-w', '/dev/null']).started();
  const second = (...args: string[]): Promise<Finished> =>
    runDpcap(['--file-prefix', testpmd.prefix, '-B', '4096', '-w', '/dev/null', '-c', '1', ...args]);
  const words = [/net_null1 queue 0 tx/, /already being captured/, /-i 1 -Q tx/, /stop/];
  refused(t, 'held', await second('-i', '1', '-Q', 'tx'), 1, words);
  refused(t, 'one of four is held', await second('-i', 'any'), 1, words);
  t.equal((await second('-i', '1', '-Q', 'rx')).code, 0, 'the other direction is free');
  t.equal((await second('-i', '0')).code, 0, 'the other port is free');
  const held = await holder.stop();
  balances(t, held);
  t.ok((held.final?.packets ?? 0) > 0, 'the holder was not disturbed');
  t.equal((await second('-i', 'any')).code, 0, 'free again');
}
