/** What can go wrong when an mbuf is shared with the application instead of copied, by name. Pure. */
import { UsageError } from '../../errors.js';
import type { Direction } from '../../native/primary-binding.js';

/** A danger that nobody but the user can judge. */
export interface Danger {
  name: string;
  text: string;
}

const DANGERS: readonly (Danger & { only?: Direction })[] = [
  {
    name: 'rewrites',
    text: 'what the application rewrites in a packet before the target has sent it is rewritten in the mirror as well, or half of it',
  },
  { name: 'buffers', text: "a slow target holds the application's mbufs, until it receives nothing any more" },
  {
    name: 'tags',
    text: 'a VLAN tag that the NIC has taken off a received packet is missing in the mirror',
    only: 'rx',
  },
  {
    name: 'offloads',
    text: 'the target carries out what the application asked the NIC for (checksums, segmentation, VLAN tags) once more',
    only: 'tx',
  },
];

/** The dangers of these directions that are not among those that were accepted. */
export function missingDangers(directions: readonly Direction[], accepted: readonly string[]): Danger[] {
  return DANGERS.filter(({ only }) => only === undefined || directions.includes(only)).filter(
    ({ name }) => !accepted.includes(name),
  );
}

/**
 * Parses the names of dangers that a user takes: `rewrites,buffers`.
 * @throws UsageError
 */
export function parseAccepted(text: string): string[] {
  const names = text.split(',').filter((name) => name !== '');
  const unknown = names.find((name) => !DANGERS.some((one) => one.name === name));
  if (unknown === undefined && names.length > 0) return names;
  throw new UsageError(`--accept: ${JSON.stringify(unknown ?? text)} is no danger by its name`, {
    subject: unknown ?? text,
    hint: `there are ${DANGERS.map(({ name }) => name).join(', ')}`,
  });
}
