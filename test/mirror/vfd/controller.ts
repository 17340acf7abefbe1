import t from 'tap';
import type { Preview, SetOutcome } from '../../../src/mirror/controller.js';
import { ownDir } from '../../helpers/own-dir.js';
import { ask, type Scope, setUpController, sourceOf } from '../helpers/controller.js';
import type { FakePf } from '../helpers/fake-vfd.js';

const PCI = '0000:08:00.0';
const nothing = (): void => undefined;

function setUp(t: Scope, pf: Partial<FakePf> = {}) {
  const pfs: FakePf[] = [{ pci: PCI, loopback: true, nic: 'plain', ...pf }];
  const both = setUpController(ownDir(t), pfs);
  t.teardown(() => both.vfd.stop());
  return both;
}

function warningsOf(outcome: SetOutcome): string {
  return outcome.effect === 'planned' ? '' : [...outcome.preview.warnings, ...outcome.warnings].join('\n');
}

t.test('set, list, status, clear, and again', async (t) => {
  const { vfd, controller } = setUp(t);
  const previews: Preview[] = [];
  const outcome = await controller.set(ask(0, 1, 'all', 3), (preview) => {
    t.same(vfd.mirrored(), [], 'nothing has been changed when it is called');
    previews.push(preview);
  });
  t.equal(outcome.effect, 'set');
  t.match(previews, [
    { unchanged: false, interrupts: false, source: { name: 'guest_0_1', vlans: [11], pci: '0000:08:10.2' } },
  ]);
  t.same(vfd.mirrored(), ['0/1 all 3']);
  t.same(await controller.list(), [{ pf: 0, vf: 1, direction: 'all', target: 3 }]);
  t.match(await controller.status(sourceOf(0, 1)), { mirror: { target: 3 }, source: { link: 'UP' } });
  t.equal((await controller.set(ask(0, 1, 'all', 3), nothing)).effect, 'unchanged');
  t.equal(vfd.requests.filter(({ action }) => action === 'mirror').length, 1, 'not asked again');
  t.match(await controller.clear(sourceOf(0, 1), { byConfig: false }), { effect: 'cleared', was: { target: 3 } });
  t.same(vfd.mirrored(), []);
  t.match(await controller.clear(sourceOf(0, 1), { byConfig: false }), { effect: 'unchanged' });
  t.equal(vfd.requests.filter(({ action }) => action === 'mirror').length, 2, 'off is not asked of what is off');
  t.match(await controller.capabilities(), { about: /v2\.0\.1/, pfs: [{ pf: 0, loopback: true, vfs: [{}, {}, {}] }] });
});

t.test('a change of direction or target takes the place of what was', async (t) => {
  const { vfd, controller } = setUp(t);
  await controller.set(ask(0, 1, 'in', 3), nothing);
  const outcome = await controller.set(ask(0, 1, 'out', 2), nothing);
  t.match(outcome, { effect: 'set', preview: { previous: { direction: 'in', target: 3 } } });
  t.same(vfd.mirrored(), ['0/1 out 2']);
});

t.test('by name and by address', async (t) => {
  const { vfd, controller } = setUp(t);
  const source = { pf: undefined, vf: { kind: 'name' as const, name: 'guest_0_2' } };
  await controller.set({ ...ask(0, 0, 'in', 0), source, target: { kind: 'pci', address: '0000:08:10.6' } }, nothing);
  t.same(vfd.mirrored(), ['0/2 in 3']);
  const byPf = { pf: { kind: 'pci' as const, address: PCI }, vf: { kind: 'number' as const, number: 2 } };
  t.match(await controller.clear(byPf, { byConfig: false }), { effect: 'cleared' });
});

t.test('refused before anything is sent', async (t) => {
  const { vfd, controller } = setUp(t, { loopback: false });
  const refused = [
    [ask(0, 1, 'in', 1), { exitCode: 2, message: /target is the source/ }],
    [ask(0, 1, 'in', 9), { exitCode: 2, message: /VF 9 is not managed on PF 0/ }],
    [ask(0, 9, 'in', 1), { exitCode: 2, message: /VF 9 is not managed/ }],
    [ask(7, 1, 'in', 3), { exitCode: 2, message: /there is no PF 7/ }],
    [ask(0, 1, 'out', 3), { code: 'ERR_MIRROR_UNSAFE', message: /enable_loopback is false/ }],
    [ask(0, 1, 'all', 3), { code: 'ERR_MIRROR_UNSAFE', hint: /--force/ }],
  ] as const;
  for (const [request, error] of refused) await t.rejects(controller.set(request, nothing), error);
  t.same(
    vfd.requests.filter(({ action }) => action !== 'show'),
    [],
  );
  const forced = await controller.set(ask(0, 1, 'out', 3, { force: true }), nothing);
  t.match(warningsOf(forced), /enable_loopback is false/);
  await t.rejects(controller.set(ask(0, 1, 'in', 1, { force: true }), nothing), /target is the source/);
});

t.test('what throws before the change stops it', async (t) => {
  const { vfd, controller } = setUp(t);
  const stop = (): never => {
    throw new Error('no');
  };
  await t.rejects(controller.set(ask(0, 1, 'in', 3), stop), /no/);
  await t.rejects(controller.set(ask(0, 1, 'in', 3, { byConfig: true }), stop), /no/);
  t.same(
    vfd.requests.filter(({ action }) => action !== 'show'),
    [],
  );
});

t.test('ixgbe: the whole PF, and four rules', async (t) => {
  const { vfd, controller } = setUp(t, { nic: 'ixgbe' });
  for (let i = 0; i < 4; i++) {
    const outcome = await controller.set(ask(0, 1, 'in', 3), nothing);
    t.match(warningsOf(outcome), /whole PF[\s\S]*4 mirror rules/);
    await controller.clear(sourceOf(0, 1), { byConfig: false });
  }
  await t.rejects(controller.set(ask(0, 1, 'in', 3), nothing), {
    code: 'ERR_MIRROR_REFUSED',
    message: /unable to update nic/,
    hint: /4 mirror rules.*restart VFd/,
  });
  t.same([vfd.mirrored(), vfd.listed()], [[], []], 'the wrong entry in the list has been taken back');
});

t.test('i40e refuses "all", and VFd lists it as on', async (t) => {
  const { vfd, controller } = setUp(t, { nic: 'i40e' });
  await t.rejects(controller.set(ask(0, 1, 'all', 3), nothing), { code: 'ERR_MIRROR_UNSAFE', hint: /in or out/ });
  await controller.set(ask(0, 1, 'in', 3), nothing);
  await t.rejects(controller.set(ask(0, 1, 'all', 3, { force: true }), nothing), { code: 'ERR_MIRROR_REFUSED' });
  t.same([vfd.mirrored(), vfd.listed()], [['0/1 in 3'], ['0/1 in 3']], 'what was before is there again');
});

t.test('mlx5 and bnxt', async (t) => {
  const mlx5 = setUp(t, { nic: 'mlx5' });
  await t.rejects(mlx5.controller.set(ask(0, 1, 'in', 3), nothing), {
    code: 'ERR_MIRROR_UNSAFE',
    hint: 'use --by-config',
  });
  t.equal((await mlx5.controller.set(ask(0, 1, 'in', 3, { byConfig: true }), nothing)).effect, 'set');
  await mlx5.vfd.stop();
  t.test('bnxt', async (t) => {
    const { controller } = setUp(t, { nic: 'bnxt' });
    await t.rejects(controller.set(ask(0, 1, 'in', 3), nothing), { code: 'ERR_MIRROR_UNSAFE', hint: /mirror plan/ });
  });
});

t.test('the answer to a mirror request is lost, cut or rubbish: the list tells', async (t) => {
  const { vfd, controller } = setUp(t);
  for (const behaviour of ['lost', 'cut', 'rubbish', 'stall'] as const) {
    vfd.behave = ({ action }) => (action === 'mirror' ? behaviour : 'answer');
    const outcome = await controller.set(ask(0, 1, 'in', 3), nothing);
    t.match(warningsOf(outcome), /but it is on: VFd lists it/, behaviour);
    t.same(vfd.mirrored(), ['0/1 in 3']);
    await controller.clear(sourceOf(0, 1), { byConfig: false });
    t.same(vfd.mirrored(), [], 'cleared in spite of it');
  }
});

t.test('no-harm mode: mirror requests are never answered; here only those', async (t) => {
  const { vfd, controller } = setUp(t);
  vfd.behave = ({ action }) => (action === 'mirror' ? 'none' : 'answer');
  await t.rejects(controller.set(ask(0, 1, 'in', 3), nothing), {
    code: 'ERR_MIRROR_NO_ANSWER',
    message: /answers others, and no mirror is on/,
    hint: /no-harm/,
  });
});

t.test('hung in the middle: the state is unknown, and that is said', async (t) => {
  const { vfd, controller } = setUp(t);
  vfd.behave = () => (vfd.requests.some(({ action }) => action === 'mirror') ? 'none' : 'answer');
  await t.rejects(controller.set(ask(0, 1, 'in', 3), nothing), {
    code: 'ERR_MIRROR_NO_ANSWER',
    hint: /may have carried the request out/,
  });
});

t.test('success that is none', async (t) => {
  const { vfd, controller } = setUp(t);
  vfd.onRequest = ({ action }) => {
    if (action === 'show') vfd.mirrors.delete('0/1');
  };
  await t.rejects(controller.set(ask(0, 1, 'in', 3), nothing), { message: /reported success, but lists no mirror/ });
});

t.test('a list of mirrors that is cut', async (t) => {
  const { vfd, controller } = setUp(t);
  for (let vf = 4; vf < 250; vf++) vfd.mirrors.set(`0/${vf}`, { id: vf, direction: 'in', target: 2 });
  vfd.manage(0, 245, 'last');
  await t.rejects(controller.list(), { code: 'ERR_MIRROR_BAD_ANSWER', message: /is cut/ });
  await t.rejects(controller.set(ask(0, 245, 'in', 3), nothing), /is unknown/);
  t.match(await controller.status(sourceOf(0, 1)).catch((error) => error), { code: 'ERR_MIRROR_BAD_ANSWER' });
});

t.test('a target that will not work is warned of', async (t) => {
  const { vfd, controller } = setUp(t);
  vfd.manage(0, 3, 'guest_0_3', '\n  "allow_un_ucast": true,');
  t.match(warningsOf(await controller.set(ask(0, 1, 'in', 3), nothing)), /allow_un_ucast is true/);
});

t.test('cleared, but it comes back: the configuration holds a mirror', async (t) => {
  const { vfd, controller } = setUp(t);
  vfd.manage(0, 1, 'guest_0_1', '\n  "mirror": { "target": 3, "direction": "in" },');
  await controller.set(ask(0, 1, 'in', 3), nothing);
  t.match(await controller.clear(sourceOf(0, 1), { byConfig: false }), { warnings: [/comes back/] });
});
