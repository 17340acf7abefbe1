/** Which dialect a DPVS speaks: the version number on the wire is the same in all of them, so it has to be probed. */
import { parsePortList } from './bodies.js';
import { DIALECT_A, DIALECT_B, DIALECT_C, type Dialect, UNNUMBERED_A } from './dialect.js';
import { readText } from './message.js';
import type { Answer } from './transport.js';

/** Sends a GET. */
export type Ask = (id: number, body: Uint8Array) => Promise<Answer>;

/** What was found out by reading alone. */
export interface Identity {
  dialect: Dialect;
  /** What it calls itself: "dpvs:v1.10-2". */
  version: string;
  /** "1.10-2"; undefined for those that do not tell (before 1.9.4) or tell something else. */
  release: string | undefined;
  /** Why it must only be read from, when there is a reason. */
  doubt: string | undefined;
}

const EMPTY = new Uint8Array(0);
/** To C a request for the port list with a needless byte; to B one for the state of the port with the empty name. */
const EMPTY_NAME = new Uint8Array(1);
const NOT_EXIST = -4;

/**
 * Probes with read-only requests; those of unknown meaning have an empty body, because from 1.9.6 the error path for a
 * short one indexes a table with the id received.
 * @returns undefined when it is no DPVS that we know; rejects as `ask` does
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
 * Between A and B bits of "set port" moved while ids and sizes gave no sign of it, so only releases whose headers were
 * read are switched, and only when they speak as their release did.
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
