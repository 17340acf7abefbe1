/** Filter words of any kind and number, and frames that they can be about. */
import type { FilterWords } from '../../src/filter/words/filter-words.js';
import { extendedFrame } from './extension-headers.js';
import { randomFrame } from './packets.js';
import type { Random } from './random.js';

export const V4 = [
  '10.0.0.1',
  '10.0.0.2',
  '192.168.1.7',
  '10.1.2.3',
  '8.8.8.8',
  '224.0.0.1',
  '255.255.255.255',
  '0.0.0.0',
];
export const V6 = ['2001:db8::1', '2001:db8::2', 'fe80::1', 'ff02::1', '::1', '2001:db8:0:1::5'];
const NETS = [
  '10.0.0.0/8',
  '192.168.0.0/16',
  '10.0.0.0/31',
  '128.0.0.0/1',
  '2001:db8::/32',
  'fe80::/10',
  '2001:db8::/127',
];
const PROTOS = [
  'tcp',
  'udp',
  'icmp',
  'icmp6',
  'sctp',
  'arp',
  'ip',
  'ip6',
  'esp',
  'ah',
  '47',
  '0',
  '44',
  '60',
  '59',
  '6',
];
const PORTS = ['80', '53', '0', '65535', '80-90', '1-1023', '4000', '22', '443'];
const KEYS = { host: [V4, V6], srcHost: [V4, V6], dstHost: [V4, V6], net: [NETS], proto: [PROTOS] } as const;

const some = (random: Random, from: readonly string[], most: number): string[] =>
  Array.from({ length: random.between(1, most) }, () => random.pick(from));

export function randomWords(random: Random): FilterWords {
  const words: Record<string, string[]> = {};
  for (const [key, lists] of Object.entries(KEYS)) {
    if (random.chance(4)) words[key] = some(random, lists.flat(), random.pick([1, 2, 9, 40]));
  }
  for (const key of ['port', 'srcPort', 'dstPort']) if (random.chance(4)) words[key] = some(random, PORTS, 4);
  if (Object.keys(words).length === 0) words.port = some(random, PORTS, 6);
  return words;
}

export const anyFrame = (random: Random): Uint8Array =>
  random.chance(2) ? extendedFrame(random, Number(random.pick(['80', '53', '22', '85']))) : randomFrame(random);
