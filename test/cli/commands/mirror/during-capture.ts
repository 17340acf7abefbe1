import { join } from 'node:path';
import t from 'tap';
import { captureMirrored, choosePort, type TargetPort } from '../../../../src/cli/commands/mirror/during-capture.js';
import { PlanController } from '../../../../src/mirror/by-hand/controller.js';
import { MIRROR } from '../../../../src/mirror/undo.js';
import type { Listing } from '../../../../src/primary/listing.js';
import { Journal } from '../../../../src/system/journal.js';
import { TemporaryChange } from '../../../../src/watchdog/temporary-change.js';
import { ownDir } from '../../../helpers/own-dir.js';
import { setUpController } from '../../../mirror/helpers/controller.js';
import { Dpcap } from '../../../mirror/helpers/dpcap.js';

const noWatchdog = () => ({ stop: () => undefined });

/** A primary with one port. */
function listing(port: string, verdict: 'yes' | 'no' = 'yes'): Listing {
  const primary = { filePrefix: 'guest', state: 'running' };
  return {
    primary,
    capturability: { verdict, reasons: [], warnings: [] },
    ports: [{ id: 5, name: port }],
  } as unknown as Listing;
}

t.test('the mirror is on while the capture runs, on the port of the target', async (t) => {
  const { vfd, controller } = setUpController(ownDir(t));
  const journal = new Journal(join(vfd.dir, 'log'));
  const host = (listings: Listing[]) => ({
    controller,
    change: new TemporaryChange(MIRROR, journal, noWatchdog),
    listings: () => listings,
  });
  const raw = { mirror: 'pf=0,vf=1,direction=all,target=3' };

  let where: TargetPort | undefined;
  const capture = async (port: TargetPort) => {
    where = port;
    t.same([vfd.mirrored(), journal.list().length], [[], 0], 'all that can fail fails before it is on');
    return async () => {
      t.same([vfd.mirrored(), journal.list().length], [['0/1 all 3'], 1]);
    };
  };
  await captureMirrored(raw, capture, host([listing('0000:08:10.6')]));
  t.same(where, { filePrefix: 'guest', interface: ['0000:08:10.6'] });
  t.same([vfd.mirrored(), journal.list()], [[], []], 'cleared afterwards');

  const noPackets = async () => () => Promise.reject(new Error('no packets'));
  const failing = captureMirrored(raw, noPackets, host([listing('0000:08:10.6')]));
  await t.rejects(failing, /no packets/);
  t.same([vfd.mirrored(), journal.list()], [[], []], 'cleared when the capture fails');

  await captureMirrored({ ...raw, interface: ['net_null0'] }, capture, host([]));
  t.same(where, {}, 'a port that was named is taken');

  const sent = vfd.requests.filter(({ action }) => action === 'mirror').length;
  await t.rejects(captureMirrored(raw, capture, host([])), { code: 'ERR_PORT_UNKNOWN', hint: /until-exit/ });
  await t.rejects(captureMirrored({ mirror: 'pf=0' }, capture, host([])), { code: 'ERR_USAGE' });
  const unprepared = captureMirrored(raw, () => Promise.reject(new Error('no port')), host([listing('0000:08:10.6')]));
  await t.rejects(unprepared, /no port/);
  t.equal(
    vfd.requests.filter(({ action }) => action === 'mirror').length,
    sent,
    'nothing is set when nobody can capture',
  );

  await controller.set(
    {
      source: { pf: undefined, vf: { kind: 'name', name: 'guest_0_1' } },
      direction: 'all',
      target: { kind: 'number', number: 3 },
      force: false,
      byConfig: false,
    },
    () => undefined,
  );
  await captureMirrored(
    { ...raw, interface: ['5'] },
    async () => async () => undefined,
    host([listing('0000:08:10.6')]),
  );
  t.same(vfd.mirrored(), ['0/1 all 3'], 'one that was on before stays on');
  await vfd.stop();

  const plan = { ...host([]), controller: new PlanController() };
  await t.rejects(captureMirrored(raw, capture, plan), { code: 'ERR_MIRROR_ABSENT' });
});

t.test('which port', async (t) => {
  const target = { pf: 0, vf: 3, pci: '0000:08:10.6' } as Parameters<typeof choosePort>[0];
  t.same(choosePort(target, {}, [listing('0000:08:10.6')]), { filePrefix: 'guest', interface: ['0000:08:10.6'] });
  t.throws(() => choosePort(target, {}, [listing('0000:08:10.6', 'no')]), { code: 'ERR_PORT_UNKNOWN' });
  t.throws(() => choosePort({ ...target, pci: undefined }, {}, [listing('x')]), { code: 'ERR_PORT_UNKNOWN' });
  t.same(choosePort(target, { interface: ['0'] }, [listing('0000:08:10.6')]), {});
});

t.test('mistakes are told before a mirror is set', async (t) => {
  const dpcap = new Dpcap(ownDir(t));
  t.match(await dpcap.run('capture', '--mirror', 'vf=1'), { code: 2, stderr: /cannot read/ });
  t.match(await dpcap.run('capture', '--mirror', 'pf=0,vf=1,target=3', '-s', 'x'), { code: 2, stderr: /-s/ });
});

t.test('a filter or a primary that is wrong costs no rule of the NIC', async (t) => {
  const { vfd } = setUpController(ownDir(t));
  const dpcap = new Dpcap(join(vfd.dir, 'log'));
  const mirrored = ['--mirror', 'pf=0,vf=1,direction=all,target=3', '--mirror-config', vfd.cfg, '-i', '0', '-w', 'x'];
  t.match(await dpcap.run('capture', ...mirrored, 'prot tcp'), { code: 2, stderr: /filter|prot/ });
  t.match(await dpcap.run('capture', ...mirrored, '--log-level', 'loud'), { code: 2, stderr: /--log-level/ });
  t.same(vfd.requests, [], 'VFd was not even asked');
  t.match(await dpcap.run('capture', ...mirrored, 'tcp'), { code: 1, stderr: /no DPDK primary/ });
  t.same([vfd.mirrored(), vfd.requests.filter(({ action }) => action === 'mirror')], [[], []]);
  await vfd.stop();
});
