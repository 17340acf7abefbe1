/** Chooses the application to capture from with probes: nothing of it is joined, asked or changed. */
import { DpcapError } from '../errors.js';
import { choosePrimary } from '../primary/choose.js';
import { findPrimaries } from '../primary/discover.js';
import { systemHost } from '../primary/host.js';
import { largestFrame, type PickedPrimary } from '../primary/pick.js';
import { checkPrefix, runtimeRoot } from '../primary/runtime-dir.js';
import { gatherProbeFacts, probeObstacle } from './obstacle.js';
import { probeTarget } from './target.js';

const OTHER_WAYS = 'other ways are --via agent and --via pdump (docs/ways-in.md)';

/**
 * The application to capture from with probes.
 * @throws DpcapError as choosePrimary(); ERR_PERMISSION, ERR_ADDON_LOAD, ERR_VERSION_MISMATCH,
 *   ERR_PRIMARY_NOT_CAPTURABLE
 */
export function pickProbed(filePrefix: string | undefined): PickedPrimary {
  if (filePrefix !== undefined) checkPrefix(filePrefix);
  const host = systemHost();
  const primary = choosePrimary(findPrimaries(runtimeRoot(), host), filePrefix);
  const obstacle = probeObstacle(gatherProbeFacts());
  if (obstacle) throw new DpcapError(obstacle.code, obstacle.message, { hint: obstacle.hint });
  const found = probeTarget(primary, host);
  if ('reason' in found) {
    const message = `cannot set probes on the application ${primary.filePrefix}: ${found.reason}`;
    throw new DpcapError('ERR_PRIMARY_NOT_CAPTURABLE', message, { subject: primary.filePrefix, hint: OTHER_WAYS });
  }
  const { target, infos, line } = found;
  const pids = target.processes.map(({ pid }) => `pid ${pid}`).join(' and ');
  const version = primary.version ?? { number: line.from, text: line.name };
  return {
    primary: { ...primary, shared: false },
    dpdk: { ...version, libraries: [] },
    name: `${primary.process?.program ?? 'an application'}, ${pids}, DPDK ${version.text}, by probes`,
    ports: infos,
    memory: { isFixed: false },
    maxFrame: largestFrame(infos.flatMap(({ mtu }) => mtu ?? [])),
    ebpf: target,
  };
}
