/** The command as it is typed, against a fake DPVS. Its own state and runtime directories keep real primaries out. */
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { FakeDpvs, type FakeOptions, type Fault } from '../../dpvs/helpers/fake-dpvs.js';
import { tempDir } from '../../dpvs/helpers/temp-dir.js';
import { type Finished, type Running, startDpcap } from '../../harness/processes.js';

type Teardown = { teardown(undo: () => unknown): void };

interface Scene {
  fake: FakeDpvs;
  path: string;
  dir: string;
  dpcap(...args: string[]): Running;
  run(...args: string[]): Promise<Finished>;
}

async function scene(t: Teardown, options: Partial<FakeOptions> = {}): Promise<Scene> {
  const dir = tempDir(t);
  const path = join(dir, 'ipc');
  const fake = await FakeDpvs.start({ dialect: 'C', kniLcore: 3, ...options, path });
  t.teardown(() => fake.stop());
  const env = { XDG_STATE_HOME: dir, DPCAP_RUNTIME_ROOT: dir, DPVS_IPC_FILE: path };
  const dpcap = (...args: string[]): Running => startDpcap(args, { env });
  return { fake, path, dir, dpcap, run: (...args) => dpcap(...args).wait() };
}

t.test('on, status and off, in words and in JSON', async (t) => {
  const { fake, run, path } = await scene(t);
  const on = await run('forward2kni', 'dpdk0', 'on');
  t.match(on, { code: 0, stdout: 'dpdk0: forward2kni on (physical, link up, dpvs:v1.10-2)\n' });
  t.match(on.stderr, /warning: the kernel now gets a copy of all traffic/);
  t.equal(fake.ports[0]?.forward2kni, true);
  t.match((await run('forward2kni', 'dpdk0', 'on')).stdout, /^dpdk0: forward2kni on already/);
  const status = JSON.parse((await run('forward2kni', 'dpdk0', 'status', '--json')).stdout);
  t.match(status, {
    backend: 'dpvs',
    socket: path,
    dialect: 'C',
    forward2kni: 'on',
    kni: 'on',
    kni_lcore: 3,
    warnings: [],
  });
  t.match(await run('forward2kni', 'dpdk0', 'off', '--ipc-file', path), {
    code: 0,
    stdout: /forward2kni off \(/,
    stderr: '',
  });
  t.equal(fake.ports[0]?.forward2kni, false);
  t.equal(fake.sets.length, 2);
});

t.test('--for switches off again by itself', async (t) => {
  const { fake, run } = await scene(t);
  const { code, stdout } = await run('forward2kni', 'dpdk0', 'on', '--for', '10ms', '--json');
  t.equal(code, 0);
  const [first, last] = stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  t.match(
    [first, last],
    [
      { was: 'off', forward2kni: 'on' },
      { was: 'on', forward2kni: 'off', ending: /was switched off/ },
    ],
  );
  t.same(fake.ports[0]?.forward2kni, false);
});

t.test('--until-exit switches off on a signal', async (t) => {
  const { fake, dpcap, dir } = await scene(t);
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
    const running = dpcap('forward2kni', 'dpdk0', 'on', '--until-exit');
    await running.expect(/forward2kni on/);
    t.equal(fake.ports[0]?.forward2kni, true);
    t.match(await running.stop(signal), { code: 0, stdout: /forward2kni of dpdk0 was switched off\n$/ }, signal);
    t.equal(fake.ports[0]?.forward2kni, false);
  }
  t.same(readdirSync(join(dir, 'dpcap', 'journal')), []);
});

t.test('killed: recover switches off what it left on', async (t) => {
  let broken = false;
  const fault = (): Fault | undefined => (broken ? { kind: 'close' } : undefined);
  const { fake, dpcap, run, dir } = await scene(t, { fault });
  const running = dpcap('forward2kni', 'dpdk0', 'on', '--for', '1h');
  await running.expect(/forward2kni on/);
  t.notMatch((await run('recover')).stdout, /switched off/, 'not while its process lives');
  t.match(await running.stop('SIGKILL'), { signal: 'SIGKILL' });
  t.equal(fake.ports[0]?.forward2kni, true);
  broken = true;
  t.match(await run('recover'), { code: 1, stdout: /could not undo forward2kni of dpdk0: .* does not speak as DPVS/ });
  broken = false;
  const { code, stdout } = await run('recover', '--json');
  t.match(
    [code, JSON.parse(stdout)],
    [0, { journal: [{ isUndone: true, text: 'forward2kni of dpdk0 was switched off' }] }],
  );
  t.equal(fake.ports[0]?.forward2kni, false);
  t.same(readdirSync(join(dir, 'dpcap', 'journal')), []);
});

t.test('a slave is switched with a warning, a VLAN device only by force', async (t) => {
  const { fake, run } = await scene(t, {
    ports: [{ name: 'dpdk0' }, { name: 'bond0' }, { name: 'dpdk0.100' }],
    ranges: { physical: [0, 1], bond: [1, 2] },
    slaves: { bond0: ['dpdk0'] },
  });
  t.match(await run('forward2kni', 'dpdk0', 'on'), { code: 0, stderr: /dpdk0 is a slave of bond0/ });
  t.match(await run('forward2kni', 'dpdk0.100', 'on'), {
    code: 2,
    stderr: /not switched on: .*VLAN.*use dpdk0\n.*--force/,
  });
  t.equal(fake.sets.length, 1);
  t.match(await run('forward2kni', 'dpdk0.100', 'status'), { code: 0, stderr: /VLAN/ });
  t.match(await run('forward2kni', 'dpdk0.100', 'on', '--force'), { code: 0, stderr: /warning: .*VLAN/ });
  t.match(await run('forward2kni', 'dpdk0.100', 'off'), { code: 0 });
});

t.test('bad input', async (t) => {
  const { fake, run, dir } = await scene(t);
  t.match(await run('forward2kni', 'dpdk9', 'on'), { code: 2, stderr: /has no port dpdk9\n {2}it has dpdk0/ });
  t.match(await run('forward2kni', 'dpdk0', 'up'), { code: 2, stderr: /use on, off or status/ });
  t.match(await run('forward2kni', 'dpdk0'), { code: 2 });
  t.match(await run('forward2kni', 'dpdk0', 'on', '--for', 'ever'), { code: 2, stderr: /no duration/ });
  t.match(await run('forward2kni', 'dpdk0', 'on', 'tcp'), { code: 2, stderr: /a filter does not go with DPVS/ });
  const rate = await run('forward2kni', 'dpdk0', 'on', '--max-rate', '5');
  t.match(rate, { code: 2, stderr: /--max-rate does not go with DPVS/ });
  const none = await run('forward2kni', 'dpdk0', 'on', '--ipc-file', join(dir, 'none'));
  t.match(none, { code: 1, stderr: /cannot reach DPVS .* no such socket \(ENOENT\)/ });
  writeFileSync(join(dir, 'file'), '');
  t.match(await run('forward2kni', 'dpdk0', 'on', '--ipc-file', join(dir, 'file')), {
    code: 1,
    stderr: /ECONNREFUSED/,
  });
  const json = await run('forward2kni', 'dpdk0', 'on', '--json', '--ipc-file', join(dir, 'none'));
  t.match(JSON.parse(json.stderr), { error: 'ERR_DPVS_ABSENT', exitCode: 1 });
  t.match(await run('forward2kni', '0', 'on', '--file-prefix', 'nobody'), { code: 1, stderr: /no DPDK primary/ });
  t.same(fake.sets, []);
});

t.test('a release that is not known is shown, not switched', async (t) => {
  const { fake, run } = await scene(t, { version: 'dpvs:v1.12-0' });
  t.match(await run('forward2kni', 'dpdk0', 'status'), {
    code: 0,
    stdout: /forward2kni off/,
    stderr: /v1.12-0.* not switched/,
  });
  t.match(await run('forward2kni', 'dpdk0', 'on'), { code: 1, stderr: /nothing was changed in DPVS/ });
  t.same(fake.sets, []);
});

t.test('a foreign program, and one that hangs', async (t) => {
  const foreign = await scene(t, {
    fault: () => ({ kind: 'bytes', bytes: Buffer.from('220 mail ESMTP\r\n'.repeat(8)) }),
  });
  t.match(await foreign.run('forward2kni', 'dpdk0', 'on'), {
    code: 1,
    stderr: /does not speak as DPVS does.*\(EPROTO\)/,
  });
  const hung = await scene(t, { fault: () => ({ kind: 'hang' }) });
  t.match(await hung.run('forward2kni', 'dpdk0', 'on'), { code: 1, stderr: /did not answer in time \(ETIMEDOUT\)/ });
});
