/** Notes on what an expression says, as in tcpdump, although few people mean it; and how to say what they mean. */
import { type Token, tokenise } from './tokens.js';

/** These keywords move where libpcap looks for all terms behind them in the text, whatever the brackets say. */
const MOVES = ['vlan', 'mpls', 'pppoes', 'geneve'];
const OR = ['or', '||'];
const NOT = ['not', '!'];
/** Tokens that are no term of their own when they follow `vlan 5` and similar keywords. */
const GLUE = /^(?:and|&&|or|\|\||not|!|[()]|\d+|0x[0-9a-f]+)$/i;

/** The note on the order of terms, for the start line; undefined when the order does not matter. */
export function orderNote(text: string): string | undefined {
  const tokens = tokenise(text);
  const at = tokens.findIndex((token, index) => MOVES.includes(token.text) && reachesTooFar(tokens, index));
  const word = tokens[at]?.text;
  if (word === undefined) return undefined;
  const instead = word === 'vlan' ? 'for one of several VLANs use --vlan 10,20; otherwise' : 'to avoid it';
  return (
    `as in tcpdump, all that stands behind \`${word}\` in \`${shortened(text)}\` is looked for behind that header, also where ` +
    `there is none; ${instead} write what is not behind it first: \`udp or (${word} and tcp)\``
  );
}

const shortened = (text: string): string => (text.length > 60 ? `${text.slice(0, 57)}...` : text);

/** Whether a term behind the keyword at `at` may concern packets without the header that the keyword asks for. */
function reachesTooFar(tokens: readonly Token[], at: number): boolean {
  const rest = tokens.slice(at + 1);
  if (isNegated(tokens, at)) return rest.some(({ text }) => !GLUE.test(text));
  // The depth of brackets, and the least since the keyword: an `or` in a group that was opened later does not matter.
  let [depth, least] = [0, 0];
  return rest.some(({ text }) => {
    if (text === '(') depth++;
    if (text === ')') least = Math.min(least, --depth);
    return OR.includes(text) && depth <= least;
  });
}

/** Whether `not` stands before the keyword, or before a bracket that is still open at the keyword. */
function isNegated(tokens: readonly Token[], at: number): boolean {
  let closed = 0;
  // Whether the token that was looked at last is the keyword, or a bracket around it.
  let isAround = true;
  for (const { text } of tokens.slice(0, at).reverse()) {
    if (isAround && NOT.includes(text)) return true;
    isAround = text === '(' && closed === 0;
    if (text === ')') closed++;
    else if (text === '(' && closed > 0) closed--;
  }
  return false;
}

/** The note for `--explain` that says where packets with extension headers are not found. */
export function extensionNote(text: string): string | undefined {
  const words = tokenise(text).map((token) => token.text);
  const word = words.find((one) => ['port', 'portrange', 'tcp', 'udp', 'sctp'].includes(one));
  if (word === undefined) return undefined;
  return (
    `as in tcpdump, \`${word}\` looks at the first next-header of IPv6 only; --port and --proto look behind extension headers, ` +
    'too'
  );
}
