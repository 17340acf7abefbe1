/** Sets and clears mirrors of an application at full load, in an order of its own, and finds out whether it minds. */
import { mirroringApplication } from '../../src/mirror/agent/application.js';
import { AgentController } from '../../src/mirror/agent/controller.js';
import { SNAPLEN } from '../../src/mirror/agent/request.js';
import { parseTunnelRequest, type TunnelRequest } from '../../src/mirror/agent/tunnel.js';
import type { MirrorStatus } from '../../src/native/mirror-binding.js';
import { compileFilter } from '../helpers/native.js';
import type { Random } from '../helpers/random.js';
import { startWithAgent } from './agent.js';
import type { Testpmd } from './testpmd.js';

const PORTS = 4;
/** Forwarding sends on queue 0 alone. */
const FREE_QUEUES = [1, 2];
const MOST = 16;
/** Not limited: at full load every one of them is full. Each has an id of its own. */
const TUNNELS = [
  'erspan://192.0.2.9?id=1',
  'erspan://192.0.2.9?version=2&id=2',
  'gretap://192.0.2.9?key=3',
  'vxlan://192.0.2.9?vni=4',
].map((url) => `${url}&max-rate=0&src=192.0.2.1`);
/** None, two that select all that net_null receives, and one that selects nothing of it. */
const FILTERS = [[], ['len > 0'], ['not udp'], ['udp']];
const NEXT_HOP = '02:00:00:00:00:09';

/** Starts a testpmd at full load that leaves two transmit queues of each port alone. It forwards once it is told to. */
export function startForRounds(): Promise<Testpmd> {
  const vdevs = Array.from({ length: PORTS }, (_, port) => `net_null${port}`);
  return startWithAgent('LD_PRELOAD', { vdevs, args: ['--rxq=1', '--txq=3'], memoryMb: 256 });
}

/** What came of the rounds. */
export interface Rounds {
  set: number;
  cleared: MirrorStatus[];
  /** The most mirrors that were on at once. */
  most: number;
}

/** Sets one more mirror, or clears one that is on, `rounds` times; then clears what is left, in an order of its own. */
export function runRounds(prefix: string, rounds: number, random: Random): Rounds {
  const controller = new AgentController(mirroringApplication(prefix));
  const on: number[] = [];
  const result: Rounds = { set: 0, cleared: [], most: 0 };
  const clear = (): void => {
    const [id] = on.splice(random.below(on.length), 1);
    const last = id === undefined ? undefined : controller.clear(id);
    if (last === undefined) throw new Error(`mirror ${id} was not on any more`);
    result.cleared.push(last);
  };
  for (let round = 0; round < rounds; round++) {
    const id = on.length < MOST && (on.length === 0 || random.chance(2)) ? setOne(controller, random) : undefined;
    if (id === undefined) {
      clear();
      continue;
    }
    on.push(id);
    result.set++;
    result.most = Math.max(result.most, on.length);
  }
  while (on.length > 0) clear();
  return result;
}

function isOnAlready(all: MirrorStatus[], source: number, target: number, tunnel: TunnelRequest | undefined): boolean {
  return tunnel === undefined
    ? all.some((one) => one.tunnel === null && one.sourcePort === source && one.targetPort === target)
    : all.some((one) => one.tunnel?.id === tunnel.plan.id);
}

/** Undefined when these packets go to that target already, or that tunnel is another mirror's. */
function setOne(controller: AgentController, random: Random): number | undefined {
  const source = random.below(PORTS);
  const target = (source + 1 + random.below(PORTS - 1)) % PORTS;
  const tunnel = random.chance(3) ? parseTunnelRequest(random.pick(TUNNELS), NEXT_HOP) : undefined;
  const byReference = tunnel === undefined && random.chance(3);
  if (isOnAlready(controller.list(), source, target, tunnel)) return undefined;
  const id = AgentController.newId();
  const resolved = controller.resolve({
    source: String(source),
    target: String(target),
    tunnel,
    targetQueue: random.pick(FREE_QUEUES),
    directions: random.pick([['rx'], ['tx'], ['rx', 'tx']] as const),
    snaplen: byReference ? SNAPLEN.all : random.pick([SNAPLEN.all, 20]),
    vlanTci: byReference ? undefined : random.pick([undefined, 100]),
    byReference,
    accepted: byReference ? ['rewrites', 'buffers', 'tags', 'offloads'] : [],
    filter: compileFilter({ expressions: random.pick(FILTERS) }),
  });
  controller.set(resolved, id, 60);
  return id;
}
