/** Checks what is asked of `dpcap forward2kni`: the part that all backends share. */

import { UsageError } from '../errors.js';
import { parseDuration } from '../text/duration.js';

/** The values of --via. */
export const VIA = ['dpvs', 'tap', 'virtio-user'] as const;
export type Via = (typeof VIA)[number];

export type ForwardAction = 'on' | 'off' | 'status';

/** Options as commander hands them over. */
export interface RawForwardOptions {
  ipcFile?: string;
  filePrefix?: string;
  via?: string;
  for?: string;
  untilExit?: boolean;
  force?: boolean;
  json?: boolean;
}

/** One checked request. */
export interface ForwardRequest {
  /** A name or id; only the backend knows which ports there are. */
  port: string;
  action: ForwardAction;
  ipcFile: string | undefined;
  filePrefix: string | undefined;
  /** Undefined: DPVS's own switch for a DPVS, an interface of dpcap for other primaries. */
  via: Via | undefined;
  /** Time after which the forwarding is switched off again. */
  durationMs: number | undefined;
  /** Whether dpcap stays in the foreground, and switches off at the end. */
  untilExit: boolean;
  /** Whether dpcap also makes a change that does harm. */
  force: boolean;
  json: boolean;
}

/** @throws UsageError that names the option, the given value and the possible values */
export function checkRequest(port: string, action: string, raw: RawForwardOptions): ForwardRequest {
  const known = (['on', 'off', 'status'] as const).find((one) => one === action);
  if (!known) throw new UsageError(`forward2kni: unknown action ${action}`, { hint: 'use on, off or status' });
  if (port === '') throw new UsageError('forward2kni: the port is empty', { hint: 'dpcap list shows the ports' });
  const lasting = raw.for !== undefined ? '--for' : raw.untilExit ? '--until-exit' : undefined;
  if (lasting && known !== 'on') {
    throw new UsageError(`${lasting} goes with "on" only`, { hint: `dpcap forward2kni ${port} on ${lasting}` });
  }
  return {
    port,
    action: known,
    ipcFile: raw.ipcFile,
    filePrefix: raw.filePrefix,
    via: checkVia(raw),
    durationMs: raw.for === undefined ? undefined : parseDuration('--for', raw.for),
    untilExit: raw.untilExit ?? false,
    force: raw.force ?? false,
    json: raw.json ?? false,
  };
}

function checkVia({ via, ipcFile }: RawForwardOptions): Via | undefined {
  const known = VIA.find((one) => one === via);
  if (via !== undefined && !known) {
    throw new UsageError(`--via: unknown value ${via}`, { subject: via, hint: `use ${VIA.join(', ')}` });
  }
  if (known === undefined || known === 'dpvs' || ipcFile === undefined) return known;
  throw new UsageError(`--ipc-file does not go with --via ${known}`, { hint: 'name the primary with --file-prefix' });
}

/** The command that ends the forwarding of the same port of the same primary. */
export function offCommand({ port, filePrefix, via }: Pick<ForwardRequest, 'port' | 'filePrefix' | 'via'>): string {
  const options = [
    filePrefix === undefined ? '' : ` --file-prefix ${filePrefix}`,
    via === undefined ? '' : ` --via ${via}`,
  ];
  return `dpcap forward2kni ${port} off${options.join('')}`;
}
