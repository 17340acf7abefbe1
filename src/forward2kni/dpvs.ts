/** forward2kni on DPVS: carries out a request and says what happened. */
import type { DpvsClient } from '../dpvs/client.js';
import { holdForward } from '../dpvs/hold.js';
import { configPath, DEFAULT_CONFIG, dpvsBehind } from '../dpvs/identify.js';
import { kniName, readKniNames } from '../dpvs/kni-names.js';
import { openDpvs } from '../dpvs/open.js';
import {
  expectations,
  type PortView,
  requireHarmless,
  type SwitchResult,
  switchForward,
  viewPort,
} from '../dpvs/switch.js';
import { DpcapError } from '../errors.js';
import type { Primary } from '../primary/discover.js';
import { Journal } from '../system/journal.js';
import { startTimer } from '../system/long-timer.js';
import { onEndingSignal } from '../system/signals.js';
import type { Backend } from './backend.js';
import type { ForwardRequest } from './request.js';

type DpvsBackend = Extract<Backend, { kind: 'dpvs' }>;

/** A port, and the configuration file of its DPVS. */
type ConfiguredPort = PortView & { config: string };

/** Where output lines go. */
export interface Streams {
  out: (line: string) => void;
  warn: (line: string) => void;
}

/** What `--json` prints: one line, or with --for and --until-exit one at the beginning and one at the end. */
export interface ForwardRecord {
  backend: 'dpvs';
  socket: string;
  version: string;
  dialect: string;
  port: string;
  kind: string;
  master: string | null;
  link: string;
  kni: 'on' | 'off' | null;
  kni_lcore: number | null;
  /** The KNI interface, where known. */
  interface: string | null;
  /** The state as read from DPVS, after the change if there was one. */
  forward2kni: 'on' | 'off';
  /** The state before the change. */
  was: 'on' | 'off';
  warnings: string[];
}

const KERNEL_SEES_ALL =
  'the kernel now gets a copy of all traffic of the port: the KNI interface must be up and should have no address';

/**
 * Switches forward2kni or shows its state, and reports the result.
 * @throws UsageError, DpcapError ERR_DPVS_*
 */
export async function forwardOnDpvs(
  request: ForwardRequest,
  { sockets, primary }: DpvsBackend,
  primaries: () => readonly Primary[],
  streams: Streams,
): Promise<void> {
  const client = await openDpvs(sockets);
  const view = { ...(await viewPort(client, request.port)), config: configOf(client.path, primary, primaries) };
  const report = async (result: SwitchResult, more: readonly string[] = expectations(view)): Promise<void> => {
    show(request, await record(client, view, result, more), streams);
  };
  const was = view.state.forward2kni;
  if (request.action === 'status') return report({ was, is: was, notes: [] });
  if (request.action === 'off') return report(await switchForward(client, view, false), []);

  if (!request.force) requireHarmless(view);
  if (request.durationMs === undefined && !request.untilExit) {
    return report(await switchForward(client, view, true), [...expectations(view), KERNEL_SEES_ALL]);
  }
  await hold(request, client, view, streams);
}

/** Path of DPVS's configuration. A DPVS in a container may be out of sight: then it is the usual path. */
function configOf(socket: string, primary: Primary | undefined, primaries: () => readonly Primary[]): string {
  try {
    const dpvs = primary ?? dpvsBehind(socket, primaries());
    return dpvs ? configPath(dpvs) : DEFAULT_CONFIG;
  } catch (error) {
    if (error instanceof DpcapError) return DEFAULT_CONFIG; // no addon, or a runtime root that may not be read
    throw error;
  }
}

async function hold(
  request: ForwardRequest,
  client: DpvsClient,
  view: ConfiguredPort,
  streams: Streams,
): Promise<void> {
  const { over, cancel } = waitForEnd(request.durationMs);
  try {
    const was = view.state.forward2kni;
    const more = [...expectations(view), KERNEL_SEES_ALL];
    if (was) more.push('it was on before, and will be left on');
    const about = await record(client, view, { was, is: true, notes: [] }, more);
    const ending = await holdForward(client, view, {
      over,
      journal: new Journal(),
      switched: ({ notes }) => show(request, { ...about, warnings: [...about.warnings, ...notes] }, streams),
    });
    if (!request.json) return streams.out(ending);
    const { forward2kni } = about;
    const now = about.was === 'on' ? 'on' : 'off';
    streams.out(JSON.stringify({ ...about, was: forward2kni, forward2kni: now, warnings: [], ending }));
  } finally {
    cancel();
  }
}

/** Signals are handled from before the SET on, so that none ends the process while the switch is on. */
function waitForEnd(durationMs: number | undefined): { over: Promise<void>; cancel: () => void } {
  let finish = (): void => {};
  const over = new Promise<void>((resolve) => {
    finish = resolve;
  });
  // A signal handler alone does not keep the process alive.
  const keepAlive = setInterval(() => {}, 2 ** 30);
  const timer = durationMs === undefined ? undefined : startTimer(finish, durationMs);
  const forget = onEndingSignal(finish);
  const cancel = (): void => {
    clearInterval(keepAlive);
    timer?.cancel();
    forget();
  };
  return { over, cancel };
}

async function record(
  client: DpvsClient,
  view: ConfiguredPort,
  result: SwitchResult,
  more: readonly string[],
): Promise<ForwardRecord> {
  const { version, dialect, doubt } = await client.identity();
  const { listed, state, master, kni, kniLcore } = view;
  const unswitchable = doubt ? [`${doubt}: it is shown, but not switched`] : [];
  return {
    backend: 'dpvs',
    socket: client.path,
    version,
    dialect: dialect.name,
    port: listed.name,
    kind: master ? 'slave' : listed.kind,
    master: master ?? null,
    link: state.link,
    kni: kni === undefined ? null : onOff(kni),
    kni_lcore: kniLcore ?? null,
    interface: (master || kni === false ? undefined : kniName(listed.name, readKniNames(view.config))) ?? null,
    forward2kni: onOff(result.is),
    was: onOff(result.was),
    warnings: [...unswitchable, ...more, ...result.notes],
  };
}

function show(request: ForwardRequest, about: ForwardRecord, { out, warn }: Streams): void {
  if (request.json) {
    out(JSON.stringify(about));
    return;
  }
  for (const warning of about.warnings) warn(`dpcap: warning: ${warning}`);
  const already = request.action !== 'status' && about.was === about.forward2kni ? ' already' : '';
  out(
    `${about.port}: forward2kni ${about.forward2kni}${already} (${about.kind}, link ${about.link}, ${about.version})`,
  );
}

function onOff(value: boolean): 'on' | 'off' {
  return value ? 'on' : 'off';
}
