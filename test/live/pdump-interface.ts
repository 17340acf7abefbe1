/** `dpcap pdump` with kernel interfaces for outputs, in a network namespace of its own; tcpdump at the other end judges. */
import { join } from 'node:path';
import t, { type Test } from 'tap';
import {
  isUnharmed,
  type Replay,
  type Running,
  readPcap,
  recordInterface,
  remember,
  requirements,
  start,
  startReplay,
  type VethNamespace,
  vethNamespace,
  writePcap,
} from '../harness/index.js';
import { ether, ipv4, tcp, udp } from '../helpers/frames.js';

const skip = requirements({ hugepagesMb: 384, namespaces: true, tools: ['setpriv'] });
const frames = Array.from({ length: 40 }, (_, at) => ether(0x0800, ipv4(6, tcp(1000 + at, 80, 2))));
/** As long as an MTU of 1500 allows, and longer. */
const long = [1472, 1473, 2000].map((payload) => ether(0x0800, ipv4(17, udp(1, 2, new Uint8Array(payload)))));
const buffers = (list: Uint8Array[]): Buffer[] => list.map((frame) => Buffer.from(frame));
const bytesOf = (file: string): Buffer[] => readPcap(file).packets.map(({ data }) => data);
const closing = (written: number, lost: number): string =>
  `##### PDUMP DEBUG STATS #####\n -packets dequeued:\t\t\t${written + lost}\n` +
  ` -packets transmitted to vdev:\t\t${written}\n -packets freed:\t\t\t${lost}\n`;

interface Stage {
  net: VethNamespace;
  replay: Replay;
  folder: string;
}

/** A primary that receives these frames on port 0, and the namespace. */
async function stage(t: Test, received: Uint8Array[]): Promise<Stage> {
  const folder = t.testdir();
  const net = vethNamespace(2);
  t.teardown(() => net.close());
  const [a, b] = [join(folder, 'a'), join(folder, 'b')];
  writePcap(a, received);
  writePcap(b, frames.slice(0, 1));
  const replay = await startReplay([[a], [b]], received.length + 1, { mode: 'io' });
  t.teardown(() => replay.testpmd.stop());
  return { net, replay, folder };
}

/** Starts `dpcap pdump` inside, behind `wrapper`. */
function pdump({ net, replay }: Stage, tuples: string[], wrapper: string[] = []): Running {
  const words = tuples.flatMap((tuple) => ['--pdump', `${tuple},total-num-mbufs=4095`]);
  const [file = '', ...args] = [...net.inside, ...wrapper, process.execPath, 'bin/dpcap.cjs', 'pdump'];
  return start(file, [...args, '--file-prefix', replay.testpmd.prefix, ...words]);
}

const capturing = async (running: Running, ...names: string[]): Promise<void> => {
  for (const name of names)
    await running.expect(new RegExp(`capturing .* to .*${name}\\b`), { stream: 'stderr', timeoutMs: 30_000 });
};

t.test('an interface for each direction, one for both, and a file beside one', { skip }, async (t) => {
  const scene = await stage(t, frames);
  const { net, replay, folder } = scene;
  const before = await remember(replay.testpmd);
  const record = (name: string, packets: number): Promise<Running> =>
    recordInterface(name, join(folder, name), packets, net.name);

  let running = pdump(scene, ['port=0,queue=*,rx-dev=out0', 'port=1,queue=*,tx-dev=out1']);
  await capturing(running, 'interface out0', 'interface out1');
  let judges = [await record('far0', 40), await record('far1', 40)];
  await replay.play();
  for (const judge of judges) t.match(await judge.wait(), { code: 0 });
  running.signal('SIGINT');
  t.match(await running.wait(30_000), { code: 0, stdout: closing(40, 0) + closing(40, 0) });
  t.same(bytesOf(join(folder, 'far0')), buffers(frames), 'what port 0 received, byte for byte');
  t.same(bytesOf(join(folder, 'far1')), buffers(frames), 'what port 1 sent');

  const file = join(folder, 'tx.pcap');
  running = pdump(scene, ['port=0,queue=*,rx-dev=out0,tx-dev=out0', `port=1,queue=*,rx-dev=out1,tx-dev=${file}`]);
  await capturing(running, 'interface out0', 'interface out1', 'tx.pcap');
  judges = [await record('far0', 41), await record('far1', 1)];
  await replay.play();
  for (const judge of judges) t.match(await judge.wait(), { code: 0 });
  running.signal('SIGINT');
  t.match(await running.wait(30_000), { code: 0, stdout: closing(41, 0) + closing(41, 0) });
  t.same(bytesOf(file), buffers(frames), 'the file');
  await isUnharmed(t, replay.testpmd, before, 'after two runs');
});

t.test('what the interface does not take is lost, counted and told', { skip }, async (t) => {
  const scene = await stage(t, [...frames, ...long]);
  const { net, replay, folder } = scene;
  const running = pdump(scene, ['port=0,queue=*,rx-dev=out0']);
  await capturing(running, 'interface out0');
  const judge = await recordInterface('far0', join(folder, 'far0'), 41, net.name);
  await replay.play();
  t.match(await judge.wait(), { code: 0 });
  t.same(bytesOf(join(folder, 'far0')), buffers([...frames, ...long.slice(0, 1)]));
  net.ip('link', 'set', 'out0', 'down');
  await replay.play();
  running.signal('SIGINT');
  const ended = await running.wait(30_000);
  t.match(ended, { code: 0, stdout: closing(41, 2 + 43) });
  t.match(ended.stderr, /to interface out0, 45 packets lost \(nombuf 0, ringfull 0, sinkdrop 45\)/);
});

t.test('refused, and gone', { skip }, async (t) => {
  const scene = await stage(t, frames);
  const { net, replay } = scene;
  const before = await remember(replay.testpmd);
  const refused = async (wrapper: string[], words: RegExp[]): Promise<void> => {
    const ended = await pdump(scene, ['port=0,queue=*,rx-dev=out0'], wrapper).wait(30_000);
    t.equal(ended.code, 1, ended.stderr);
    for (const word of words) t.match(ended.stderr, word);
  };
  await refused(['setpriv', '--bounding-set=-net_raw'], [/interface out0: .*EPERM/, /CAP_NET_RAW/]);
  net.ip('link', 'set', 'out0', 'down');
  await refused([], [/interface out0: it is down \(ENETDOWN\)/, /ip link set out0 up/]);
  await isUnharmed(t, replay.testpmd, before, 'refused');

  const running = pdump(scene, ['port=0,queue=*,rx-dev=out1', `port=1,queue=*,rx-dev=${join(scene.folder, 'x.pcap')}`]);
  await capturing(running, 'interface out1', 'x.pcap');
  net.ip('link', 'del', 'out1');
  const ended = await running.wait(30_000);
  t.match(ended, { code: 1, stderr: /interface out1 is gone.*ENODEV[\s\S]*start again/ });
  t.match(ended.stdout, closing(0, 0), 'the other one is stopped in order');
  await isUnharmed(t, replay.testpmd, before, 'gone');
});
