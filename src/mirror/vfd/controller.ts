/** Sets and clears mirrors through VFd: asks it, checks, makes the change and reads the state back. */
import { join } from 'node:path';
import { DpcapError } from '../../errors.js';
import { stateDir } from '../../system/journal.js';
import {
  type BeforeChange,
  type Capabilities,
  type ClearOptions,
  type ClearOutcome,
  isSameMirror,
  type Mirror,
  type MirrorController,
  type Preview,
  type SetOutcome,
  type SetRequest,
  type SourceSelector,
  type VfFacts,
  type VfStatus,
} from '../controller.js';
import { resolveSource, resolveTarget } from '../resolve.js';
import type { CommandRecord } from '../undo.js';
import { type ConfigJob, type ConfigResult, mirrorByConfig } from './by-config.js';
import { gatherFacts, type VfdFacts, type VfdPf } from './inventory.js';
import type { VfdPlace } from './locate.js';
import { judgeMirror } from './preconditions.js';
import { ANSWER_LIMIT_MS, VfdClient } from './protocol/client.js';
import { attempt, disagrees, mirrorOf, NicRefusal, switchTo } from './rollback.js';

/** Time limits and places to look, which tests set. */
export interface VfdSettings {
  limitMs?: number;
  sysfs?: string;
  backupDir?: string;
  logWaitMs?: number;
}

export class VfdController implements MirrorController {
  readonly kind = 'vfd';
  readonly #place: VfdPlace;
  readonly #settings: VfdSettings;

  constructor(place: VfdPlace, settings: VfdSettings = {}) {
    this.#place = place;
    this.#settings = settings;
  }

  capabilities(): Promise<Capabilities> {
    return this.#session(async (client) => {
      const version = await client.ping();
      const { pfs } = await this.#facts(client);
      const about = `VFd ${version}, request FIFO ${this.#place.fifo}`;
      const config = this.#place.config?.path;
      const notes = config
        ? [`configuration ${config}`]
        : ['vfd.cfg was not found: loop-back and VF names are not known'];
      return { controller: 'vfd', about, canChange: true, pfs: pfs.map(publicFacts), notes };
    });
  }

  list(): Promise<Mirror[]> {
    return this.#session(async (client) => {
      const { mirrors, isComplete } = await client.showMirrors();
      if (isComplete) return mirrors;
      throw new DpcapError('ERR_MIRROR_BAD_ANSWER', `VFd's list of mirrors is cut after ${mirrors.length}`, {
        hint: 'ask for one VF: dpcap mirror list --pf P --vf V',
      });
    });
  }

  status(source: SourceSelector): Promise<VfStatus> {
    return this.#session(async (client) => {
      const facts = await this.#facts(client);
      const vf = resolveSource(source, facts.pfs);
      return { source: vf, mirror: mirrorOf(facts.mirrors, vf) };
    });
  }

  set(request: SetRequest, before: BeforeChange): Promise<SetOutcome> {
    return this.#session(async (client) => {
      const facts = await this.#facts(client);
      const { preview, pf } = prepare(request, facts, client.fifo);
      if (preview.unchanged) {
        await before(preview);
        return { effect: 'unchanged', preview, warnings: [] };
      }
      if (request.byConfig) {
        const { backup, warnings } = await this.#byConfig(client, preview.mirror, pf, (undo) =>
          before({ ...preview, undo }),
        );
        return { effect: 'set', preview, backup, warnings };
      }
      await before(preview);
      const warnings = await turnOn(client, preview.mirror, preview.previous).catch((error: unknown) => {
        throw explainRefusal(error, pf);
      });
      return { effect: 'set', preview, warnings: [...warnings, ...client.warnings()] };
    });
  }

  clear(source: SourceSelector, { byConfig, before }: ClearOptions): Promise<ClearOutcome> {
    return this.#session(async (client) => {
      const facts = await this.#facts(client);
      const vf = resolveSource(source, facts.pfs);
      const was = mirrorOf(facts.mirrors, vf);
      const id = { pf: vf.pf, vf: vf.vf };
      if (!was) return { effect: 'unchanged', source: id, was, warnings: [] };
      const pf = facts.pfs.find((one) => one.pf === vf.pf);
      if (byConfig && pf) {
        const off = { ...id, off: true as const };
        const { warnings, backup } = await this.#byConfig(client, off, pf, (undo) => before?.(undo, was));
        return { effect: 'cleared', source: id, was, warnings, backup };
      }
      await switchTo(client, was, undefined);
      return { effect: 'cleared', source: id, was, warnings: [...this.#comesBack(vf), ...client.warnings()] };
    });
  }

  async #byConfig(
    client: VfdClient,
    wanted: Mirror | { pf: number; vf: number; off: true },
    pf: VfdPf,
    before: ConfigBefore,
  ): Promise<ConfigResult> {
    const { config } = this.#place;
    if (!config) {
      throw new DpcapError('ERR_MIRROR_UNSAFE', "--by-config needs VFd's configuration, and there is none", {
        hint: 'name it with --config',
      });
    }
    const job: ConfigJob = {
      id: { pf: wanted.pf, vf: wanted.vf },
      pfPci: pf.pci,
      wanted: 'off' in wanted ? undefined : wanted,
      configDir: config.configDir,
      logDir: config.logDir,
      backupDir: this.#settings.backupDir ?? join(stateDir(), 'vfd-backup'),
      ...(this.#settings.logWaitMs === undefined ? {} : { logWaitMs: this.#settings.logWaitMs }),
    };
    return mirrorByConfig(client, job, before);
  }

  /** A mirror in the VF's configuration is set again when VFd starts. */
  #comesBack(vf: VfFacts): string[] {
    if (!vf.configuredMirror) return [];
    return ["the VF's configuration holds a mirror: it comes back when VFd restarts; to take it out: --by-config"];
  }

  #facts(client: VfdClient): Promise<VfdFacts> {
    return gatherFacts(client, this.#place.config, this.#settings.sysfs);
  }

  /** Makes one client for one operation. Its directory is removed afterwards. */
  async #session<T>(act: (client: VfdClient) => Promise<T>): Promise<T> {
    const client = new VfdClient(this.#place.fifo, this.#settings.limitMs ?? ANSWER_LIMIT_MS);
    try {
      return await act(client);
    } finally {
      client.close();
    }
  }
}

type ConfigBefore = Parameters<typeof mirrorByConfig>[2];

function prepare(request: SetRequest, facts: VfdFacts, fifo: string): { preview: Preview; pf: VfdPf } {
  const source = resolveSource(request.source, facts.pfs);
  const target = resolveTarget(request.target, source, facts.pfs);
  const pf = facts.pfs.find((one) => one.pf === source.pf) as VfdPf;
  const mirror = { pf: source.pf, vf: source.vf, direction: request.direction, target: target.vf };
  const warnings = judgeMirror({ mirror, source, target, pf, force: request.force, byConfig: request.byConfig });
  const previous = mirrorOf(facts.mirrors, source);
  if (previous && request.byConfig) warnings.push('the mirror that is on now ends, and is not put back afterwards');
  const undo: CommandRecord = { how: 'command', fifo, ours: mirror, ...(previous ? { previous } : {}) };
  const unchanged = isSameMirror(previous, mirror);
  return { preview: { mirror, source, target, previous, unchanged, warnings, interrupts: request.byConfig, undo }, pf };
}

/**
 * Switches a mirror on and checks that it is on.
 * @returns warnings
 * @throws DpcapError after the state before has been restored where that was possible
 */
async function turnOn(client: VfdClient, mirror: Mirror, previous: Mirror | undefined): Promise<string[]> {
  const failure = await attempt(client.mirrorOn(mirror));
  const after = await readBack(client, mirror, failure);
  const isListed = isSameMirror(after, mirror);
  if (!failure) {
    if (isListed) return [];
    throw disagrees(mirror, after);
  }
  if (failure.code !== 'ERR_MIRROR_REFUSED') {
    if (isListed) return [`${failure.message}; but it is on: VFd lists it`];
    throw ignored(failure);
  }
  // VFd notes the mirror before it asks the NIC, and keeps the note when the NIC refuses.
  if (isListed) await takeBack(client, mirror, previous, failure);
  throw failure;
}

/** VFd's answer is the same whatever reason the NIC had, and its log has no line when the rules have run out. */
function explainRefusal(error: unknown, { nic }: VfdPf): unknown {
  if (!(error instanceof DpcapError) || error.code !== 'ERR_MIRROR_REFUSED' || nic?.driver !== 'ixgbe') return error;
  const { code, message, subject } = error;
  return new DpcapError(code, message, {
    ...{ subject, cause: error },
    hint: 'ixgbe has 4 mirror rules, and VFd uses a new one each time a mirror goes on: after 4, restart VFd',
  });
}

async function readBack(
  client: VfdClient,
  mirror: Mirror,
  failure: DpcapError | undefined,
): Promise<Mirror | undefined> {
  try {
    return mirrorOf(await client.showMirrors(), mirror);
  } catch (error) {
    throw failure ?? error;
  }
}

/** VFd handles requests in order: since it has answered the next one, this one is not merely late. */
function ignored(failure: DpcapError): DpcapError {
  return new DpcapError(failure.code, `${failure.message}; it answers others, and no mirror is on`, {
    cause: failure,
    subject: failure.subject,
    errno: failure.errno,
    hint: 'VFd ignores mirror requests in no-harm mode (-n)',
  });
}

async function takeBack(
  client: VfdClient,
  mirror: Mirror,
  previous: Mirror | undefined,
  failure: DpcapError,
): Promise<void> {
  try {
    await switchTo(client, mirror, previous);
  } catch (error) {
    // The NIC has refused the mirror as well, so it has nothing to end.
    if (error instanceof NicRefusal && previous === undefined) return;
    throw new DpcapError(failure.code, `${failure.message}; VFd lists it all the same, wrongly`, {
      cause: error,
      subject: failure.subject,
      hint: 'nothing is mirrored; the list is right again after: dpcap mirror clear, or a restart of VFd',
    });
  }
}

function publicFacts({ nic: _nic, ...facts }: VfdPf): Capabilities['pfs'][number] {
  return facts;
}
