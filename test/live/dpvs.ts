/** Captures from a primary that speaks DPVS's pdump, and lists it with what it says on its control socket. */
import { closeSync, openSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { FakeDpvs } from '../dpvs/helpers/fake-dpvs.js';
import { tempDir } from '../dpvs/helpers/temp-dir.js';
import {
  balances,
  capture,
  enginePid,
  gone,
  hasInterface,
  kniName,
  readPcap,
  requirements,
  runDpcap,
  startCapture,
  startDpvsPrimary,
  tcpdumpLines,
  tsharkFields,
  writePcap,
} from '../harness/index.js';

const skip = requirements({ tools: ['cmake'] });
const UDP = 17;
const TCP = 6;

/** An Ethernet frame with an IPv4 packet and ports. */
function frame(protocol: number, payload: number): Buffer {
  const bytes = Buffer.alloc(14 + 20 + 20 + payload, payload);
  bytes.write('020000000002020000000001080045', 'hex');
  bytes.writeUInt16BE(bytes.length - 14, 16);
  bytes.write('000000004000', 18, 'hex');
  bytes[22] = 64;
  bytes[23] = protocol;
  bytes.write('00000a0000010a000002', 24, 'hex');
  bytes.write('04d20035', 34, 'hex');
  return bytes;
}

const FRAMES = Array.from({ length: 40 }, (_, i) => frame(i % 2 ? UDP : TCP, 10 + i));

function replayVdev(folder: string): string {
  const file = join(folder, 'in.pcap');
  writePcap(file, FRAMES);
  return `net_pcap0,rx_pcap=${file},infinite_rx=1`;
}

for (const layout of [120, 112] as const) {
  t.test(`pdump requests of ${layout} bytes`, { skip }, async (t) => {
    const folder = tempDir(t);
    const primary = await startDpvsPrimary({ layout, vdevs: [replayVdev(folder)] });
    t.teardown(() => primary.stop());

    const filtered = join(folder, 'udp.pcap');
    const captured = await capture(primary, ['-i', '0', '-c', '60', '-w', filtered, 'udp']);
    t.equal(captured.code, 0, captured.messages);
    balances(t, captured);
    t.equal(tcpdumpLines(filtered, 'udp').length, 60);
    t.equal(tcpdumpLines(filtered, 'not udp').length, 0);
    t.ok(
      captured.final?.ports.some((port) => port.filtered > 0),
      'BPF ran in the primary',
    );
    const sent = new Set(FRAMES.map((one) => one.toString('hex')));
    t.ok(
      readPcap(filtered).packets.every(({ data }) => sent.has(data.toString('hex'))),
      'byte for byte',
    );

    const cut = join(folder, 'cut.pcapng');
    t.equal((await capture(primary, ['-i', '0', '-Q', 'rx', '-s', '50', '-c', '20', '-w', cut])).code, 0);
    t.same(new Set(tsharkFields(cut, ['frame.cap_len']).flat()), new Set(['50']), 'the snaplen is in its place');
    const plain = join(folder, 'plain.pcap');
    t.equal((await capture(primary, ['-i', '0', '-j', 'host', '-c', '20', '-w', plain])).code, 0);
    t.equal(readPcap(plain).packets.length, 20);

    const seen = primary.requests();
    const taken = seen.filter(({ len, result }) => len === layout && result === 0);
    t.same(taken.filter(({ op }) => op === 2).length, 5, 'two lanes, one, two');
    t.same(taken.filter(({ op }) => op === 1).length, 5, 'and all disabled again');
    t.ok(
      seen.every(({ filter0 }) => filter0 === 'empty'),
      "DPVS's own filter is left empty",
    );
    t.ok(seen.every(({ len }) => len !== 104));
    const probes = seen.filter(({ ver }) => ver >= 0x7f00);
    t.equal(probes.length, layout === 120 ? 0 : 3, 'a patched DPVS is not probed; another once for each dpcap');
    const refused = seen.filter(({ result }) => result !== 0);
    t.equal(refused.length === 0, layout === 120, 'nothing is refused by a patched DPVS, and so nothing logged');
    t.match(await primary.stop(), { code: 0 });
  });
}

t.test('recover clears what a killed dpcap left in a DPVS', { skip }, async (t) => {
  const folder = tempDir(t);
  const primary = await startDpvsPrimary({ layout: 120, vdevs: [replayVdev(folder)] });
  t.teardown(() => primary.stop());
  const running = startCapture(primary, ['-i', '0', '-Q', 'rx', '-w', join(folder, 'out.pcap')]);
  await running.written(1);
  const engine = enginePid(running.pid);
  running.process.signal('SIGSTOP'); // or it would see its engine die
  process.kill(engine, 'SIGKILL');
  await running.stop('SIGKILL');
  await gone(engine);
  const cleared = await runDpcap(['recover', '--file-prefix', primary.prefix]);
  t.match(cleared, { code: 0, stdout: /cleared a capture of pid \d+, 1 queues still enabled/ });
  t.match(primary.requests().at(-1), { len: 120, op: 1, result: 0 });
  t.equal((await capture(primary, ['-i', '0', '-c', '5', '-w', join(folder, 'again.pcap')])).code, 0);
});

t.test('a pdump as of DPVS 1.9 is never sent a request that would crash it', { skip }, async (t) => {
  const folder = tempDir(t);
  const primary = await startDpvsPrimary({ layout: 104, vdevs: ['net_null0'] });
  t.teardown(() => primary.stop());
  const refused = await capture(primary, ['-i', '0', '-c', '1', '-w', join(folder, 'none.pcap')]);
  t.match(refused, { code: 1, messages: /requests of a layout that dpcap does not know.*\(EPROTONOSUPPORT\)/ });
  t.ok(primary.process.alive());
  t.ok(primary.requests().every(({ len, result }) => len !== 104 && result === -22));
});

t.test('a DPVS on DPDK 20.11 is not joined, and nothing is said of its pdump', { skip }, async (t) => {
  const primary = await startDpvsPrimary({ layout: 104, vdevs: ['net_null0'] });
  t.teardown(() => primary.stop());
  // RTE_VERSION in the head of its shared configuration; it does not look there again.
  const fd = openSync(`/var/run/dpdk/${primary.prefix}/config`, 'r+');
  writeSync(fd, Buffer.from([0x63, 0x0a, 0x0b, 0x14]), 0, 4, 4);
  closeSync(fd);
  const { stdout } = await runDpcap(['list', '--file-prefix', primary.prefix]);
  t.match(stdout, /DPVS on DPDK 20\.11\.10 can be toggled with forward2kni, but not captured from/);
  t.notMatch(stdout, 'rte_pdump_init');
  const recovered = await runDpcap(['recover', '--file-prefix', primary.prefix]);
  t.match(recovered, { code: 0, stdout: /: nothing to clear: DPVS on DPDK 20\.11\.10/ }, recovered.stderr);
  t.same(primary.requests(), [], 'it was not asked anything');
});

t.test('dpcap list shows a DPVS as such', { skip }, async (t) => {
  const ipcFile = join(tempDir(t), 'ipc');
  const primary = await startDpvsPrimary({ layout: 120, vdevs: ['net_null0'], ipcFile });
  t.teardown(() => primary.stop());
  const listed = async (): Promise<string> => {
    const { stdout } = await runDpcap(['list']);
    return stdout.slice(stdout.indexOf(primary.prefix));
  };
  t.match(await listed(), /DPVS: cannot reach DPVS at .*no such socket/);
  const fake = await FakeDpvs.start({ path: ipcFile, dialect: 'C', ports: [{ forward2kni: true }] });
  t.teardown(() => fake.stop());
  t.match(
    await listed(),
    /^\S+ +\d+ +dpvs .* yes\n {2}DPVS dpvs:v1.10-2 \(dialect C\) at .*, kni on\n {4}dpdk0 +physical +up +forward2kni on\n {2}port 0 +net_null0/,
  );
  const { primaries } = JSON.parse((await runDpcap(['list', '--json'])).stdout);
  const mine = primaries.find((one: { file_prefix: string }) => one.file_prefix === primary.prefix);
  t.match(mine, {
    program: 'dpvs',
    dpvs: { socket: ipcFile, dialect: 'C', kni: true, ports: [{ forward2kni: true }] },
  });
  const status = await runDpcap(['forward2kni', '0', 'off', '--file-prefix', primary.prefix]);
  t.match(status, { code: 0, stdout: /^dpdk0: forward2kni off \(/ });
  t.equal(fake.ports[0]?.forward2kni, false);
});

t.test('DPVS\'s own port names, and an interface of dpcap beside "kni off"', { skip }, async (t) => {
  const folder = tempDir(t);
  const ipcFile = join(folder, 'ipc');
  const primary = await startDpvsPrimary({ layout: 120, vdevs: [replayVdev(folder)], ipcFile });
  t.teardown(() => primary.stop());
  const fake = await FakeDpvs.start({ path: ipcFile, dialect: 'C', kni: false, ports: [{ name: 'dpdk0' }] });
  t.teardown(() => fake.stop());
  const file = join(folder, 'x.pcap');
  const captured = await capture(primary, ['-i', 'dpdk0', '-Q', 'rx', '-c', '20', '-w', file]);
  t.match(captured, { code: 0 }, captured.messages);
  t.equal(readPcap(file).packets.length, 20);

  process.env.XDG_STATE_HOME = folder;
  t.teardown(() => delete process.env.XDG_STATE_HOME);
  const name = kniName();
  const tap = (action: string, ...more: string[]) =>
    runDpcap(['forward2kni', 'dpdk0', action, '--via', 'tap', '--file-prefix', primary.prefix, ...more]);
  const on = await tap('on', '--detach', '--name', name, 'udp');
  t.match(
    on,
    { code: 0, stdout: new RegExp(`forwarded to interface ${name}.*off --file-prefix .* --via tap`) },
    on.stderr,
  );
  t.ok(hasInterface(name));
  t.match((await tap('status')).stdout, new RegExp(`forwarded to interface ${name}`));
  t.match(await tap('off'), { code: 0, stdout: /no longer forwarded/ });
  t.notOk(hasInterface(name));
  t.equal(fake.ports[0]?.forward2kni, false, "DPVS's own switch was left alone");
});
