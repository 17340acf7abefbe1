/** Finds the dialect of a DPVS: the version number on the wire is the same in all dialects, so it has to be probed. */
import { parsePortList } from './bodies.js';
import { DIALECT_A, DIALECT_B, DIALECT_C, type Dialect, UNNUMBERED_A } from './dialect.js';
import { readText } from './message.js';
import type { Answer } from './transport.js';

/** Sends a GET. */
export type Ask = (id: number, body: Uint8Array) => Promise<Answer>;

/** What read-only requests have found out. */
export interface Identity {
  dialect: Dialect;
  /** What DPVS calls itself: "dpvs:v1.10-2". */
  version: string;
  /** Such as "1.10-2"; undefined for a DPVS that does not tell it (before 1.9.4) or tells something else. */
  release: string | undefined;
  /** Why this DPVS must only be read from, when there is a reason. */
  doubt: string | undefined;
}

const EMPTY = new Uint8Array(0);
/**
 * With this body, C sees a request for the port list with a needless byte; B sees a request for the state of the port
 * with the empty name.
 */
const EMPTY_NAME = new Uint8Array(1);
const NOT_EXIST = -4;

/**
 * Probes with read-only requests. A request of unknown meaning has an empty body, because from 1.9.6 on the error path
 * for a short body indexes a table with the id received.
 * @returns undefined when it is no DPVS that dpcap knows; rejects as `ask` does
 */
export async function identify(ask: Ask): Promise<Identity | undefined> {
  const modern = versionText(await ask(DIALECT_C.get.version, EMPTY));
  if (modern !== undefined) {
    const dialect = await chooseModern(ask);
    return dialect && describe(dialect, modern);
  }
  const old = versionText(await ask(DIALECT_A.get.version, EMPTY));
  if (old === undefined) return undefined;
  const list = await ask(DIALECT_A.get.portList, EMPTY);
  return hasPortList(list) ? describe(DIALECT_A, old) : undefined;
}

/** The version text alone is no proof: operators build modified versions. */
async function chooseModern(ask: Ask): Promise<Dialect | undefined> {
  const answer = await ask(DIALECT_C.get.portList, EMPTY_NAME);
  if (hasPortList(answer)) return DIALECT_C;
  if (answer.kind !== 'reply' || answer.reply.errcode !== NOT_EXIST) return undefined;
  return hasPortList(await ask(DIALECT_B.get.portList, EMPTY)) ? DIALECT_B : undefined;
}

function hasPortList(answer: Answer): boolean {
  return answer.kind === 'reply' && answer.reply.errcode === 0 && parsePortList(answer.reply.body) !== undefined;
}

function versionText(answer: Answer): string | undefined {
  if (answer.kind !== 'reply' || answer.reply.errcode !== 0) return undefined;
  return readText(answer.reply.body) || undefined;
}

/**
 * Between A and B, bits of "set port" moved while ids and sizes gave no sign of it. So dpcap switches only releases
 * whose headers were read, and only when they speak the dialect of their release.
 */
function describe(dialect: Dialect, version: string): Identity {
  const release = /^dpvs:v(\d+\.\d+-\d+)$/.exec(version)?.[1];
  const known =
    release === undefined ? dialect === DIALECT_A && isUnnumbered(version) : dialect.releases.includes(release);
  const doubt = known
    ? undefined
    : `it calls itself ${version}, which is no release known to speak dialect ${dialect.name}`;
  return { dialect, version, release, doubt };
}

function isUnnumbered(version: string): boolean {
  return version.startsWith(UNNUMBERED_A);
}
