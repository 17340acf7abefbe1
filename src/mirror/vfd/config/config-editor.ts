/**
 * Changes the `mirror` member in the text of a VF configuration, and nothing else: order, blanks, comments and commas
 * stay as they are.
 */
import { DpcapError } from '../../../errors.js';
import type { Direction } from '../../controller.js';
import { type JsonMember, type JsonNode, LenientJsonError, scanJson, skipTrivia } from './lenient-json.js';

export interface MirrorMember {
  target: number;
  direction: Direction;
}

type ObjectNode = Extract<JsonNode, { kind: 'object' }>;

/**
 * Returns the text with the mirror set, or with the member taken out.
 * @param text latin1: one character for each byte
 * @throws DpcapError ERR_MIRROR_UNSAFE when the file cannot be understood for certain
 */
export function editMirror(text: string, mirror: MirrorMember | undefined): string {
  const root = scanObject(text);
  const found = root.members.filter((member) => member.key === 'mirror');
  if (found.length > 1) throw unclear('it has two "mirror" members');
  const edited = mirror ? withMirror(text, root, found[0], memberValue(mirror)) : without(text, root, found[0]);
  verify(text, edited, mirror);
  return edited;
}

/** The value of the member as VFd reads it. */
export function memberValue({ target, direction }: MirrorMember): string {
  return `{ "target": ${target}, "direction": "${direction}" }`;
}

function scanObject(text: string): ObjectNode {
  try {
    const root = scanJson(text);
    if (root.kind === 'object') return root;
  } catch (error) {
    if (!(error instanceof LenientJsonError)) throw error;
    throw unclear(error.message);
  }
  throw unclear('it is no JSON object');
}

function withMirror(text: string, root: ObjectNode, old: JsonMember | undefined, value: string): string {
  if (old) return text.slice(0, old.value.start) + value + text.slice(old.value.end);
  const last = root.members.at(-1);
  if (!last) return insert(text, root.start + 1, ` "mirror": ${value} `);
  const member = `${gapBefore(text, last)}"mirror": ${value}`;
  // A trailing comma becomes the separator.
  return last.comma === undefined ? insert(text, last.value.end, `,${member}`) : insert(text, last.comma + 1, member);
}

/** Returns the blanks in front of a member, so that a new member is laid out like its neighbour. */
function gapBefore(text: string, member: JsonMember): string {
  const gap = /[ \t]*\r?\n[ \t]*$/.exec(text.slice(0, member.start))?.[0];
  return gap ?? ' ';
}

/**
 * Removes the member with one comma, so that the rest stays as strict as it was, and with the blanks that set it apart.
 */
function without(text: string, root: ObjectNode, old: JsonMember | undefined): string {
  if (!old) return text;
  const before = root.members[root.members.indexOf(old) - 1];
  const end = old.comma !== undefined && skipTrivia(text, old.value.end) === old.comma ? old.comma + 1 : undefined;
  const rest = text.slice(end ?? old.value.end);
  const head = withoutGap(text.slice(0, old.start), rest);
  if (end !== undefined || before?.comma === undefined) return head + rest;
  return head.slice(0, before.comma) + head.slice(before.comma + 1) + rest;
}

/** Removes a line that the member had for itself. A line that it shares with something else stays a line. */
function withoutGap(head: string, rest: string): string {
  const hadLine = /^[ \t]*(\r?\n|$)/.test(rest);
  return head.replace(hadLine ? /[ \t]*\r?\n[ \t]*$|[ \t]+$/ : /[ \t]+$/, '');
}

function insert(text: string, at: number, what: string): string {
  return text.slice(0, at) + what + text.slice(at);
}

/** Reads the result again: the mirror must be as asked, and all else the same to the byte. */
function verify(before: string, after: string, mirror: MirrorMember | undefined): void {
  const [old, now] = [scanObject(before), scanObject(after)];
  const value = now.members.find((member) => member.key === 'mirror')?.value;
  const isRight = value === undefined ? !mirror : mirror && after.slice(value.start, value.end) === memberValue(mirror);
  if (!isRight || others(before, old) !== others(after, now))
    throw unclear('the edited text does not read as intended');
}

function others(text: string, root: ObjectNode): string {
  const rest = root.members.filter((member) => member.key !== 'mirror');
  return rest.map(({ start, value }) => text.slice(start, value.end)).join('\n');
}

function unclear(why: string): DpcapError {
  return new DpcapError('ERR_MIRROR_UNSAFE', `cannot edit the VF configuration: ${why}`, {
    hint: 'nothing was changed; put the file in order first, or use the run-time command (without --by-config)',
  });
}
