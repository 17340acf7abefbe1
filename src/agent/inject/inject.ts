/** Brings the agent into a running process. */
import { closeSync, existsSync, fstatSync, openSync, readFileSync, readlinkSync, writeSync } from 'node:fs';
import { basename } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { DpcapError } from '../../errors.js';
import { type HostAddon, hostAddon } from '../../native/addons.js';
import type { AgentHello } from '../../native/agent-binding.js';
import { RELEASE_LINES } from '../../native/releases.js';
import { attempt } from '../../system/process.js';
import { faultOfDir, O_PATH } from '../../system/safe-file.js';
import { agentLibrary } from '../library.js';
import { type Called, callSomewhere, type Wanted } from './call.js';
import { dpdkInside } from './dpdk.js';
import { lookAtAsker, lookAtTarget } from './facts.js';
import { type Consent, type InjectPlan, judge, name, type Verdict } from './judge.js';
import { askAgentOf } from './sockets.js';

/** What was done. */
export interface Injected {
  hello: AgentHello;
  socket: string;
  /** The calls that threads of the application were borrowed for. */
  calls: Called[];
}

const RTLD_NOW = 2;
const MFD_CLOEXEC = 1;
/**
 * Says that nobody has to execute the file: a loader maps its code all the same. Kernels that know the flag, from 6.3 on,
 * may be told (vm.memfd_noexec) to make no other files in memory.
 */
const MFD_NOEXEC_SEAL = 8;
/** The agent's thread looks for EAL fifty times a second. */
const ANSWER_MS = 10_000;
const POLL_MS = 10;

/** What speaks against it, or what would be done. */
export function examine(pid: number, consent: Consent): Verdict {
  return judge(pid, lookAtTarget(pid), lookAtAsker(), libraryFor, consent);
}

/**
 * The same, once it is clear: while somebody traces the process, or its agent is about to answer, another dpcap may be at
 * work.
 * @param limitMs for how long that is waited for
 */
export async function examineAtRest(pid: number, consent: Consent, limitMs: number): Promise<Verdict> {
  for (const deadline = performance.now() + limitMs; ; await sleep(POLL_MS)) {
    const verdict = examine(pid, consent);
    const isPassing = verdict.kind === 'refused' && ['EBUSY', 'EEXIST'].includes(verdict.error.errno ?? '');
    if (!isPassing || performance.now() >= deadline) return verdict;
  }
}

/** The library of a line of releases, if nobody with fewer rights could have changed it. */
function libraryFor(abi: number): string | DpcapError {
  const line = RELEASE_LINES.find((one) => one.abi === abi);
  try {
    const path = agentLibrary({ number: line?.from ?? 0, text: line?.name ?? `with libraries of number ${abi}` });
    const fault = faultOfDir(path);
    if (fault === undefined) return path;
    const hint = 'have root own it, and nobody else write to it';
    return new DpcapError('ERR_PERMISSION', `it is not safe to load ${path}: ${fault}`, { errno: 'EPERM', hint });
  } catch (error) {
    if (error instanceof DpcapError) return error;
    throw error;
  }
}

/**
 * Carries a plan out.
 * @param limitMs for how long a thread at rest is waited for
 * @throws DpcapError as callSomewhere(), and ERR_INJECT_FAILED when the library is not loaded, or the agent does not answer
 */
export async function inject(plan: InjectPlan, limitMs: number, addon: HostAddon = hostAddon()): Promise<Injected> {
  const run: Run = (call) => callSomewhere(plan, call, limitMs, addon);
  const load: Run = (call) => callSomewhere(plan, call, limitMs, addon, () => hasLibrary(plan.target.pid));
  const calls = await (plan.delivery === 'path'
    ? loadByPath(plan, plan.library, load)
    : loadFromMemory(plan, run, load));
  return { ...(await awaitAgent(plan, addon)), calls };
}

type Run = (wanted: Wanted) => Promise<Called | undefined>;

/** Another dpcap may have been faster. */
function hasLibrary(pid: number): boolean {
  return attempt(() => dpdkInside(pid).hasAgentLibrary) === true;
}

async function loadByPath(plan: InjectPlan, path: string, load: Run): Promise<Called[]> {
  const { dlopen, dlerror } = plan.places.functions;
  const call = await load({ function: dlopen, text: path, first: 0, second: RTLD_NOW, explain: dlerror });
  if (!call) return [];
  if (call.result !== 0n) return [call];
  const message = `${name(plan.target)} does not load ${path}: ${call.explanation || 'its loader does not say why'}`;
  const hint = 'it goes on as before; `dpcap agent path --all` prints the files for all releases';
  throw new DpcapError('ERR_INJECT_FAILED', message, { subject: path, errno: 'ELIBACC', hint });
}

/** The process makes a file in memory, which is filled from here, and loads that. Three calls, each complete in itself. */
async function loadFromMemory(plan: InjectPlan, run: Run, load: Run): Promise<Called[]> {
  const { memfd_create: create, close } = plan.places.functions;
  const file = basename(plan.library);
  const none = { text: '', first: 0, second: 0, explain: 0n };
  const flags = existsSync('/proc/sys/vm/memfd_noexec') ? MFD_CLOEXEC | MFD_NOEXEC_SEAL : MFD_CLOEXEC;
  const made = await load({ ...none, function: create, text: file, second: flags });
  if (!made) return [];
  const fd = Number(BigInt.asIntN(32, made.result));
  if (fd < 0) {
    const hint = 'it goes on as before; its limit of open files, or of memory, may be reached';
    const message = `${name(plan.target)} cannot make a file in memory`;
    throw new DpcapError('ERR_INJECT_FAILED', message, { errno: 'EMFILE', hint });
  }
  // The application may have closed the descriptor meanwhile, and have a file of its own there.
  const giveBack = async (): Promise<Called[]> => {
    const stand = attempt(() => openMade(plan, fd, O_PATH));
    if (stand === undefined) return [];
    closeSync(stand);
    const closed = await run({ ...none, function: close, first: fd });
    return closed ? [closed] : [];
  };
  let loaded: Called[];
  try {
    fill(openMade(plan, fd, 'r+'), readFileSync(plan.library));
    loaded = await loadByPath(plan, `/proc/self/fd/${fd}`, load);
  } catch (error) {
    await giveBack().catch(() => {}); // the first error says more
    throw error;
  }
  return [made, ...loaded, ...(await giveBack())];
}

/**
 * Opens the file that the process was made to make. What is at the number may be anything that the process put there, a
 * device or somebody else's file, so it is looked at before it is opened: by a descriptor that only stands for it.
 * @throws DpcapError ERR_INJECT_FAILED when it is not that file
 */
function openMade({ target, library }: InjectPlan, fd: number, flags: string | number): number {
  const path = `/proc/${target.pid}/fd/${fd}`;
  const stand = openSync(path, O_PATH);
  try {
    const stat = fstatSync(stand);
    const isMade = readlinkSync(`/proc/self/fd/${stand}`) === `/memfd:${basename(library)} (deleted)`;
    if (!isMade || !stat.isFile() || stat.nlink !== 0 || !target.uids.includes(stat.uid)) {
      throw new DpcapError('ERR_INJECT_FAILED', 'the application has closed the file for the agent', { subject: path });
    }
    return openSync(`/proc/self/fd/${stand}`, flags);
  } finally {
    closeSync(stand);
  }
}

function fill(fd: number, bytes: Buffer): void {
  try {
    for (let at = 0; at < bytes.length; ) at += writeSync(fd, bytes, at, bytes.length - at, at);
  } finally {
    closeSync(fd);
  }
}

/** The proof that it worked. */
async function awaitAgent({ target }: InjectPlan, addon: HostAddon): Promise<Pick<Injected, 'hello' | 'socket'>> {
  for (const deadline = performance.now() + ANSWER_MS; performance.now() < deadline; await sleep(POLL_MS)) {
    const agent = askAgentOf(target.where, addon);
    if (agent) return agent;
  }
  const message = `the library is loaded into ${name(target)}, and its agent does not answer`;
  const hint = 'the application has said why on its standard error; it goes on';
  throw new DpcapError('ERR_INJECT_FAILED', message, { errno: 'ETIMEDOUT', hint });
}
