/**
 * Captures by probes on the application whose file prefix is the first argument, until it is killed; with a number as the
 * second argument, that many times one after the other, then it ends.
 */
import { probeTarget } from '../../src/ebpf/target.js';
import { ebpfAddon } from '../../src/native/addons.js';
import { choosePrimary } from '../../src/primary/choose.js';
import { findPrimaries } from '../../src/primary/discover.js';
import { systemHost } from '../../src/primary/host.js';
import { runtimeRoot } from '../../src/primary/runtime-dir.js';
import { captureInRounds } from './engine-rounds.js';

const MEMORY = 1024 * 1024;

const [prefix = '', rounds] = process.argv.slice(2);
const host = systemHost();
const found = probeTarget(choosePrimary(findPrimaries(runtimeRoot(), host), prefix), host);
if ('reason' in found) throw new Error(found.reason);
const { processes, layout } = found.target;
const filter = { program: new Uint8Array(), programTx: new Uint8Array(), text: '' };
await captureInRounds(ebpfAddon(), { ebpf: { processes, layout, memory: MEMORY, filter } }, rounds);
