import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { PlanController, type PlanSettings } from '../../../src/mirror/by-hand/controller.js';
import type { MirrorController, SetOutcome } from '../../../src/mirror/controller.js';
import { planLines } from '../../../src/mirror/describe.js';
import { ask, makeNic, sourceOf } from '../helpers/controller.js';

const controllerOf = (settings: PlanSettings): MirrorController => new PlanController(settings);
const nothing = (): void => undefined;
const textOf = (outcome: SetOutcome): string =>
  outcome.effect === 'planned' ? planLines(outcome.steps, outcome.notes).join('\n') : '';

t.test('each NIC has its ways, and loop-back where it is needed', async (t) => {
  const plan = async (driver: 'mlx5' | 'bnxt' | 'cnxk' | 'sfc' | 'ixgbe' | 'i40e' | 'ice', way: 'in' | 'out' | 'all') =>
    textOf(await controllerOf({ driver, mac: '02:00:00:00:00:01' }).set(ask(0, 1, way, 3), nothing));
  const mlx5 = await plan('mlx5', 'all');
  t.notMatch(mlx5, 'iplex mirror', 'what VFd would report as done, and the NIC not do');
  t.match(mlx5, /# - mlx5 mirrors only by the VF configuration[\s\S]*dpcap mirror set --pf 0 .* --by-config\n/);
  t.match(await plan('ixgbe', 'all'), 'iplex mirror 0 1 all 3');
  t.match(await plan('i40e', 'in'), 'iplex mirror 0 1 in 3');
  const both = await plan('i40e', 'all');
  t.notMatch(both, 'iplex mirror');
  t.match(both, /iplex cannot mirror "all" here\n.*\n# - i40e takes one direction a mirror/);
  t.match(
    mlx5,
    /represented_port ethdev_port_id is 1 \/ end actions sample ratio 1 index 0 \/ represented_port ethdev_port_id 0/,
  );
  t.match(mlx5, /eth dst is 02:00:00:00:00:01 \/ end/);
  t.match(mlx5, /tc filter add dev REPRESENTOR_OF_VF_1 ingress matchall skip_sw action mirred egress mirror dev/);
  t.match(mlx5, 'echo add 1 > /sys/class/net/PF_INTERFACE/device/sriov/3/egress_mirr');
  t.match(await plan('bnxt', 'out'), /indirect_action 0 create[\s\S]*actions indirect 1[\s\S]*set tx loopback 0 on/);
  t.match(await plan('cnxk', 'in'), /24\.03[\s\S]*set sample_actions 0 vf id 3/);
  t.notMatch(await plan('cnxk', 'out'), 'flow create', 'it has no rule for that');
  t.match(await plan('sfc', 'in'), /ethdev_port_id 1 \/ represented_port ethdev_port_id 2/);
  t.match(await plan('ixgbe', 'out'), /set tx loopback 0 on\nset port 0 mirror-rule 0 downlink-mirror dst-pool 3 on/);
  t.match(await plan('i40e', 'all'), /mirror-rule 0 pool-mirror-up 0x2 [\s\S]*mirror-rule 1 pool-mirror-down 0x2/);
  t.notMatch(await plan('ixgbe', 'in'), /set tx loopback/);
  t.match(await plan('ice', 'in'), /flower dst_mac/);
});

t.test('a NIC and its names are found in sysfs', async (t) => {
  const sysfs = t.testdir();
  const [pf, vf1, vf3] = ['0000:08:00.0', '0000:08:00.3', '0000:08:00.5'];
  const devices = join(sysfs, 'bus/pci/devices');
  makeNic(sysfs, pf, 'mlx5');
  for (const [n, vf] of [
    [1, vf1],
    [3, vf3],
  ] as const) {
    mkdirSync(join(devices, vf));
    symlinkSync(`../${pf}`, join(devices, vf, 'physfn'));
    symlinkSync(`../${vf}`, join(devices, pf, `virtfn${n}`));
  }
  for (const [name, port] of [
    ['ens1', 'p0'],
    ['ens1_1', 'pf0vf1'],
    ['ens1_3', 'c1pf0vf3'],
  ] as const) {
    mkdirSync(join(devices, pf, 'net', name), { recursive: true });
    writeFileSync(join(devices, pf, 'net', name, 'phys_port_name'), `${port}\n`);
  }
  const pci = (address: string) => ({ kind: 'pci' as const, address });
  const request = { ...ask(0, 0, 'all', 0), source: { pf: undefined, vf: pci(vf1) }, target: pci(vf3) };
  const text = textOf(await controllerOf({ sysfs }).set(request, nothing));
  t.match(text, `dpdk-testpmd -a ${pf},representor=vf[1,3] -- -i`);
  t.match(text, 'tc filter add dev ens1_1 ingress matchall skip_sw action mirred egress mirror dev ens1_3');
  t.match(text, 'tc filter add dev ens1 ingress flower');
  t.notMatch(text, 'mirror-rule');
});

t.test('which port of its primary a PF is that is named by its address, nobody knows', async (t) => {
  const source = { ...sourceOf(0, 1), pf: { kind: 'pci' as const, address: '0000:08:00.0' } };
  const text = textOf(await controllerOf({ driver: 'ixgbe' }).set({ ...ask(0, 1, 'all', 3), source }, nothing));
  t.match(text, 'PORT_OF_PF is the port number of 0000:08:00.0 in the primary that owns it');
  t.match(text, /iplex mirror PORT_OF_PF 1 all 3\n[\s\S]*set port PORT_OF_PF mirror-rule 0 /);
  t.notMatch(text, /(iplex mirror|port|loopback) 0 /);
});

t.test('a plan ends what it began, whichever direction that was', async (t) => {
  for (const driver of ['mlx5', 'i40e', 'cnxk'] as const) {
    const clear = await controllerOf({ driver }).clear(sourceOf(0, 1), { byConfig: false });
    const steps = clear.effect === 'planned' ? clear.steps : [];
    t.ok(steps.length > 0 && steps.every(({ commands }) => commands.length > 0), driver);
  }
});

t.test('what cannot be planned', async (t) => {
  const plan = controllerOf({ sysfs: t.testdir() });
  await t.rejects(plan.set(ask(0, 1, 'in', 1), nothing), /target is the source/);
  const byName = { pf: undefined, vf: { kind: 'name' as const, name: 'guest' } };
  await t.rejects(plan.set({ ...ask(0, 1, 'in', 3), source: byName }, nothing), { code: 'ERR_USAGE' });
  await t.rejects(plan.list(), { code: 'ERR_MIRROR_ABSENT' });
  await t.rejects(plan.status(sourceOf(0, 1)), { code: 'ERR_MIRROR_ABSENT' });
  const clear = await plan.clear(sourceOf(0, 1), { byConfig: false });
  const ends = clear.effect === 'planned' ? clear.steps.flatMap(({ commands }) => commands) : [];
  t.ok(ends.includes('iplex mirror 0 1 off    # to end it'));
  t.ok(ends.every((line) => line.endsWith('# to end it')));
  t.ok(ends.some((line) => line.includes('/sriov/TARGET/')));
  t.match(await plan.capabilities(), { canChange: false });
});
