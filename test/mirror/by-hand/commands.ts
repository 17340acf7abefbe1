/** Commands for mirrors of ports by hand: what they are, and how they are tried. */
import { existsSync } from 'node:fs';
import t from 'tap';
import { hardwareStep, parseDevice, softwareStep, tcStep } from '../../../src/mirror/by-hand/commands.js';
import { checkDevices, tryStep } from '../../../src/mirror/by-hand/trial.js';
import type { ResolvedFlow } from '../../../src/mirror/hardware/request.js';

const step = (commands: string[]): Parameters<typeof tryStep>[0] => ({ title: '', commands, notes: [] });

t.test('what they are', async (t) => {
  t.match(softwareStep('0', '1'), {
    commands: [/-i 0 --to-port 1/, /clear/],
    notes: [/testpmd has no command/, /agent/],
  });
  t.same(tcStep({ source: 'a', target: 'b', isOffloaded: false }).commands.slice(0, 2), [
    'tc qdisc add dev a clsact',
    'tc filter add dev a ingress matchall action mirred egress mirror dev b',
  ]);
  t.match(tcStep({ source: 'a', target: 'b', isOffloaded: true }).commands[1], /matchall skip_sw action/);
});

t.test('flow rules are validated before they are created, and destroyed', async (t) => {
  const port = { id: 3, name: 'x', driver: '', mac: '', rxQueues: 1, txQueues: 1, mtu: 1500, linkMbps: 0 };
  const flow: ResolvedFlow = {
    ...{
      patterns: [{ vlan: 1 }, { vlan: 2 }],
      through: port,
      source: port,
      isTransfer: false,
      counts: false,
      ratio: 1,
    },
    copy: { kind: 'queue', value: 1, device: '' },
    fate: { kind: 'queue', value: 0, device: '' },
  };
  t.match(hardwareStep(flow).commands, [
    'set sample_actions 0 queue index 1 / end',
    /^flow validate 3 ingress pattern eth \/ vlan vid is 1/,
    /^flow validate 3 ingress pattern eth \/ vlan vid is 2/,
    /^flow create 3 ingress pattern eth \/ vlan vid is 1/,
    /^flow create 3 ingress pattern eth \/ vlan vid is 2/,
    /^flow destroy 3 rule NUMBER/,
  ]);
});

t.test('what is no name', async (t) => {
  for (const bad of ['', 'a b', 'a;b', '$(x)', 'longer-than-the-kernel-takes'])
    t.throws(() => parseDevice('--dev', bad), { message: /is no interface/, exitCode: 2 });
  t.equal(parseDevice('--dev', 'enp3s0f0_1.5'), 'enp3s0f0_1.5');
});

t.test('tried where nothing is changed', { skip: process.getuid?.() !== 0 && 'not root' }, async (t) => {
  const [one, other] = [`dpc${process.pid}a`, `dpc${process.pid}b`] as const;
  t.match(
    tryStep(step([`ip link set ${one} up`, `ip link del ${other}    # to end it`]), [one, other]),
    /kernel and tools take them/,
  );
  t.match(tryStep(step([`ip link add ${one} type nosuchtype`])), /and REFUSED: .*[Uu]nknown device type/);
  t.match(tryStep(step(['true']), [one, one]), /^not checked: /);
  t.notOk(existsSync(`/sys/class/net/${one}`), 'of which this host sees nothing');
  t.same(checkDevices(['lo', one]), ['lo is there', `${one} is NOT there on this host`]);
});
