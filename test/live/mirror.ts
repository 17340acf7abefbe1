/** Mirrors where a real DPDK program is concerned: a capture with a mirror on, and planned commands in a real testpmd. */
import { join } from 'node:path';
import t from 'tap';
import { PlanController } from '../../src/mirror/by-hand/controller.js';
import { capinfos, capture, requirements, startTestpmd } from '../harness/index.js';
import { ownDir } from '../helpers/own-dir.js';
import { ask, setUpController } from '../mirror/helpers/controller.js';

const skip = requirements();
/** Of testpmd's command parser. */
const COMPLAINT = /Bad arguments|Ambiguous|not found/i;

t.test('capture --mirror: on while packets are written, off afterwards', { skip }, async (t) => {
  const { vfd } = setUpController(ownDir(t));
  t.teardown(() => vfd.stop());
  const testpmd = await startTestpmd({ vdevs: ['net_null0'] });
  t.teardown(() => testpmd.stop());
  await testpmd.command('start');
  const file = join(vfd.logDir, 'x.pcap');
  const seen: string[] = [];
  vfd.onRequest = ({ action, params }) => void (action === 'mirror' && seen.push(String(params.resource)));
  const mirror = ['--mirror', 'pf=0,vf=1,direction=all,target=3', '--mirror-config', vfd.cfg];
  const captured = await capture(testpmd, ['-i', '0', '-c', '5', '-w', file, ...mirror]);
  t.match(captured.messages, /VF 1 of PF 0 .* is mirrored to VF 3[\s\S]*cleared the mirror of VF 1/);
  t.equal(capinfos(file)['Number of packets'], '5');
  t.same([seen, vfd.mirrored()], [['0 1 all 3', '0 1 off'], []]);

  const mistaken = await capture(testpmd, ['-i', '7', '-w', file, ...mirror]);
  t.match(mistaken, { code: 2, messages: /there is no port 7/ });
  t.equal(seen.length, 2, 'a port that is not there costs no mirror');
});

t.test('a real testpmd understands the plan: it is the driver that says no, not the prompt', { skip }, async (t) => {
  const testpmd = await startTestpmd({ vdevs: ['net_null0', 'net_null1', 'net_null2'] });
  t.teardown(() => testpmd.stop());
  t.match(await testpmd.command('flow create 0 sideways'), COMPLAINT, 'what it does not understand, it says');
  for (const driver of ['mlx5', 'bnxt', 'sfc', 'ixgbe'] as const) {
    const outcome = await new PlanController({ driver, mac: '02:00:00:00:00:01' }).set(ask(0, 1, 'all', 2));
    if (outcome.effect !== 'planned') throw new Error('not a plan');
    const commands = outcome.steps.flatMap((step) => step.commands);
    const known = commands.filter(
      (line) => /^(flow (validate|create)|set tx loopback)/.test(line) && !line.includes('indirect'),
    );
    await testpmd.command('set sample_actions 0 port_id id 2 / end'); // represented_port there is of 23.07
    for (const line of known) {
      t.notMatch(await testpmd.command(line), COMPLAINT, line); // the driver's own refusal goes to standard error
    }
  }
});
