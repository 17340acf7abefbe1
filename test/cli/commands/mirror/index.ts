import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { Dpcap, type Run } from '../../../mirror/helpers/dpcap.js';
import { FakeVfd } from '../../../mirror/helpers/fake-vfd.js';

t.test('through VFd', async (t) => {
  const vfd = new FakeVfd(t.testdir()).start();
  const original = vfd.manage(0, 1, 'guest_a');
  vfd.manage(0, 3, 'debug');
  const dpcap = new Dpcap(join(vfd.dir, 'log'));
  const mirror = (line: string): Promise<Run> => dpcap.run('mirror', ...line.split(' '), '--config', vfd.cfg);

  const set = await mirror('set --pf 0 --vf 1 --direction all --target debug');
  t.equal(set.code, 0);
  t.match(
    set.stdout,
    /^VF 1 of PF 0 \(guest_a, \S+\) is mirrored to VF 3 .*: what the guest receives and what it sends\n/,
  );
  for (const word of ['promisc', 'VLAN 13', 'allow_un_ucast false', 'other than 11', 'Spoofed'])
    t.match(set.stdout, word);
  t.match((await mirror('list')).stdout, /^VF 1 of PF 0 is mirrored to VF 3: .*\(all\)\n$/);
  t.same(JSON.parse((await mirror('list --json')).stdout), {
    mirrors: [{ pf: 0, vf: 1, direction: 'all', target: 3 }],
    ports: [],
  });
  t.match(JSON.parse((await mirror('list --vf guest_a --json')).stdout), {
    mirror: { target: 3 },
    counters: { Spoofed: '8' },
  });
  const counters = /^VF 1 of PF 0 is mirrored to VF 3: .*\(all\)\n {2}link .*Spoofed 8.*\n$/;
  t.match(await mirror('list --vf guest_a'), { code: 0, stdout: /\(all\)\n$/ });
  t.match(await mirror('status --vf guest_a'), { code: 0, stdout: counters });
  t.match(await mirror('status'), { code: 0, stdout: counters }, 'the same of each');
  t.match(JSON.parse((await mirror('status --json')).stdout), {
    mirrors: [{ mirror: { target: 3 }, counters: { Spoofed: '8' } }],
    ports: [],
  });
  t.match(await mirror('status --id 0000000a'), { code: 1, stderr: /there is no mirror 0000000a/ });
  t.match(JSON.parse((await mirror('capabilities --json')).stdout), { controller: 'vfd', pfs: [{ loopback: true }] });
  t.match(JSON.parse((await mirror('clear --vf guest_a --json')).stdout), { effect: 'cleared', was: { target: 3 } });
  t.match(await mirror('clear --vf guest_a'), { code: 0, stdout: 'VF 1 of PF 0 was not mirrored\n' });
  t.match(await mirror('list'), { stdout: 'no mirror is on\n' });

  t.match(await mirror('set --pf 0 --vf 1 --direction off --target 3'), { code: 2, stderr: /unknown direction/ });
  t.match(await mirror('set --pf 0 --vf 1 --direction in'), { code: 2, stderr: /--target/ });
  t.match(await mirror('clear --all --vf 1'), { code: 2 });
  t.match(JSON.parse((await mirror('set --vf guest_a --direction in --target 9 --json')).stderr), {
    error: 'ERR_USAGE',
  });

  const asked = await mirror('set --vf guest_a --direction in --target 3 --by-config');
  t.match(asked, { code: 2, stderr: /interrupts the traffic of VF 1[\s\S]*--yes/ });
  t.match(await mirror('set --vf guest_a --direction in --target 3 --by-config --for 0.05 -y'), {
    code: 0,
    stdout: /configuration as it was: \S+\nrestored the configuration of VF 1/,
  });
  t.equal(readFileSync(join(vfd.liveDir, 'guest_a.json'), 'latin1'), original);
  await mirror('set --vf guest_a --direction in --target 3');
  await mirror('set --vf debug --direction in --target 1');
  t.match(await mirror('clear --all'), { code: 0, stdout: /cleared .*\ncleared / });
  t.same([vfd.mirrored(), dpcap.journal(), vfd.leftovers()], [[], [], []]);

  await vfd.stop();
  t.match(await mirror('list'), { code: 1, stderr: /VFd is not running: nobody reads .* \(ENXIO\)/ });
});

t.test('without a controller', async (t) => {
  const dpcap = new Dpcap(t.testdir());
  const line = '--pf 0 --vf 1 --direction out --target 3'.split(' ');
  const none = ['--config', join(t.testdirName, 'none.cfg')];
  const plan = await dpcap.run('mirror', 'plan', ...line, '--nic', 'mlx5');
  t.equal(plan.code, 0);
  t.match(plan.stdout, /sample ratio 1 index 0/);
  t.match(JSON.parse((await dpcap.run('mirror', 'plan', ...line, '--json')).stdout), {
    effect: 'planned',
    steps: [{}],
  });
  t.equal((await dpcap.run('mirror', 'set', ...line, '--via', 'plan')).code, 0);
  t.match(await dpcap.run('mirror', 'set', ...line, ...none), { code: 2, stderr: /there is no .*none.cfg/ });
  t.match(await dpcap.run('mirror', 'set', ...line, '--via', 'x'), { code: 2, stderr: /--via/ });
  t.match(await dpcap.run('mirror', 'set', ...line, '--fifo', join(t.testdirName, 'none')), {
    code: 1,
    stderr: /VFd is not running: there is no .*ENOENT/,
  });
  t.match(await dpcap.run('mirror', 'list', '--via', 'plan'), { code: 1, stderr: /nobody here can list mirrors/ });
  t.match((await dpcap.run('mirror', 'capabilities', '--via', 'plan')).stdout, /plan: prints commands/);
});
