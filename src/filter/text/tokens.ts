/** Cuts a pcap-filter expression into libpcap's tokens, with their places. */

export interface Token {
  text: string;
  /** Offset of the token's first character. */
  start: number;
  end: number;
}

/** Operators of two characters and of one; names after a backslash; words, numbers, addresses; any other character. */
const TOKEN = /\s+|>=|<=|!=|==|<<|>>|&&|\|\||[+\-*/%:[\]!<>()&|^=]|\\[^ !()\n\t]+|[A-Za-z0-9$][-_.:A-Za-z0-9]*|./gsu;

export function tokenise(text: string): Token[] {
  const tokens: Token[] = [];
  for (const match of text.matchAll(TOKEN)) {
    if (match[0].trim() === '') continue;
    tokens.push(...split(match[0], match.index));
  }
  return tokens;
}

/** In a word, ':' is part of an address (`fe80::1`, `0:1:2:3:4:5`); in `tcp[4:2]` it stands between two numbers. */
function split(text: string, start: number): Token[] {
  const colons = text.split(':').length - 1;
  const isAddress = colons >= 2 || text.includes('::');
  if (colons === 0 || isAddress || text.length === 1) return [{ text, start, end: start + text.length }];
  const at = text.indexOf(':');
  const parts = [
    { text: text.slice(0, at), start, end: start + at },
    { text: ':', start: start + at, end: start + at + 1 },
    { text: text.slice(at + 1), start: start + at + 1, end: start + text.length },
  ];
  return parts.filter((part) => part.text !== '');
}

/** Whether the expression itself speaks of VLAN tags: by libpcap's keyword, not by a name that contains its letters. */
export const usesVlan = (text: string): boolean => tokenise(text).some((token) => token.text === 'vlan');
