/** Where this process runs, as far as it matters to what tests find. */
import { readFileSync } from 'node:fs';
import { binding } from '../../test/helpers/native.js';
import type { Place } from './results.js';

/** Looks. */
export function place(): Place {
  const system = /^PRETTY_NAME="(.*)"$/m.exec(readFileSync('/etc/os-release', 'utf8'))?.[1] ?? 'unknown';
  return { dpdk: binding().dpdkVersion, system, node: process.versions.node };
}
