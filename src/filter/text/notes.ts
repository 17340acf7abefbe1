/** What an expression says that few people mean, as in tcpdump; and how to say what they mean. */
import { type Token, tokenise } from './tokens.js';

/** These move the place at which libpcap looks for all that stands behind them in the text, whatever the brackets say. */
const MOVES = ['vlan', 'mpls', 'pppoes', 'geneve'];
const OR = ['or', '||'];
const NOT = ['not', '!'];
/** Behind `vlan 5` and their like these are no term of their own. */
const GLUE = /^(?:and|&&|or|\|\||not|!|[()]|\d+|0x[0-9a-f]+)$/i;

/** For the start line: undefined when the order of its terms does not matter. */
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

/** Whether something behind the keyword at `at` need not be in a packet that has what the keyword asks for. */
function reachesTooFar(tokens: readonly Token[], at: number): boolean {
  const rest = tokens.slice(at + 1);
  if (isNegated(tokens, at)) return rest.some(({ text }) => !GLUE.test(text));
  // Depth of brackets, and the least since the keyword: an `or` in a group that was opened later is of no concern.
  let [depth, least] = [0, 0];
  return rest.some(({ text }) => {
    if (text === '(') depth++;
    if (text === ')') least = Math.min(least, --depth);
    return OR.includes(text) && depth <= least;
  });
}

/** Whether `not` stands before it, or before a bracket that is open there. */
function isNegated(tokens: readonly Token[], at: number): boolean {
  let closed = 0;
  // Whether what was looked at last is the keyword, or a bracket around it.
  let isAround = true;
  for (const { text } of tokens.slice(0, at).reverse()) {
    if (isAround && NOT.includes(text)) return true;
    isAround = text === '(' && closed === 0;
    if (text === ')') closed++;
    else if (text === '(' && closed > 0) closed--;
  }
  return false;
}

/** For `--explain`: where packets with extension headers are not found. */
export function extensionNote(text: string): string | undefined {
  const words = tokenise(text).map((token) => token.text);
  const word = words.find((one) => ['port', 'portrange', 'tcp', 'udp', 'sctp'].includes(one));
  if (word === undefined) return undefined;
  return (
    `as in tcpdump, \`${word}\` looks at the first next-header of IPv6 only; --port and --proto look behind extension headers, ` +
    'too'
  );
}
