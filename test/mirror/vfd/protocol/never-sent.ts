/** Whatever is asked, and whatever state the daemon is in: no request is written that harms it or means something else. */
import fc from 'fast-check';
import t from 'tap';
import { DpcapError } from '../../../../src/errors.js';
import type { Direction } from '../../../../src/mirror/controller.js';
import { parseSelector, parseSource } from '../../../../src/mirror/target-spec.js';
import { setUpController } from '../../helpers/controller.js';
import type { FakeVfd, Received } from '../../helpers/fake-vfd.js';

/** The list of the issue, judged by the daemon's state when the request came; independent of the code under test. */
function faultOf(request: Received, vfd: FakeVfd, force: boolean): string | undefined {
  const { action, params, text, on } = request;
  if (Buffer.byteLength(text) > 4096 || text.includes('\n')) return 'size or line break';
  if (!['ping', 'show', 'mirror', 'add', 'delete'].includes(action)) return `action ${action}`;
  if (action === 'add' || action === 'delete') return params.filename ? undefined : 'no file name';
  if (action !== 'mirror') return undefined;
  const [pf, vf, word, target, ...rest] = String(params.resource).split(' ');
  const key = `${pf}/${vf}`;
  if (rest.length > 0 || !vfd.vfs.has(key)) return 'not managed';
  if (word === 'off') return on.includes(key) ? undefined : 'off for what is off';
  if (!['in', 'out', 'all'].includes(word ?? '')) return 'a word that means off';
  if (target === vf) return 'target is the source';
  if (!vfd.vfs.has(`${pf}/${target}`)) return 'target not managed';
  return word !== 'in' && !vfd.pfs[Number(pf)]?.loopback && !force ? 'no loop-back' : undefined;
}

const selector = fc.oneof(
  { weight: 24, arbitrary: fc.constantFrom('1', '2', '3') },
  { weight: 2, arbitrary: fc.constantFrom('0', '01') },
  fc.constantFrom('4', '9', '253', '254', 'guest_0_1', 'guest_1_2', '0000:08:10.2', '0000:08:00.1', '08:10.6'),
  fc.string(),
);
const direction = fc.oneof(
  { weight: 12, arbitrary: fc.constantFrom('in', 'out', 'all') },
  fc.constantFrom('off', 'on', 'OUT', 'x'),
  fc.string(),
);
const step = fc.record({
  verb: fc.constantFrom('set', 'set', 'set', 'clear', 'list'),
  pf: fc.oneof({ weight: 8, arbitrary: fc.constantFrom('0', '1') }, fc.option(selector, { nil: undefined })),
  vf: selector,
  direction,
  target: selector,
  force: fc.boolean(),
  byConfig: fc.boolean(),
});

t.test('sequences of commands', async (t) => {
  const pfs = [
    { pci: '0000:08:00.0', loopback: true, nic: 'plain' as const },
    { pci: '0000:08:00.1', loopback: false, nic: 'i40e' as const },
  ];
  const { vfd, controller } = setUpController(t.testdir(), pfs);
  const faults: string[] = [];
  let sent = 0;
  let force = false;
  vfd.onRequest = (request) => {
    const fault = faultOf(request, vfd, force);
    if (fault !== undefined) faults.push(`${fault}: ${request.text}`);
    if (request.action === 'mirror') sent++;
  };
  const run = async (one: typeof step extends fc.Arbitrary<infer T> ? T : never): Promise<void> => {
    force = one.force;
    const source = parseSource(one.pf, one.vf);
    if (one.verb === 'clear') return void (await controller.clear(source, { byConfig: one.byConfig }));
    if (one.verb === 'list') return void (await controller.status(source));
    // The direction goes in as it is: the guard must hold where a caller does not look.
    const target = parseSelector('--target', one.target);
    const request = { source, direction: one.direction as Direction, target, force, byConfig: one.byConfig };
    await controller.set(request, () => undefined);
  };
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 4, maxLength: 12 }), async (steps) => {
      for (const one of steps) {
        try {
          await run(one);
        } catch (error) {
          if (!(error instanceof DpcapError)) throw error;
        }
      }
      return faults.length === 0 && vfd.crashes === 0;
    }),
    { numRuns: 25 },
  );
  await vfd.stop();
  t.same(faults, []);
  t.ok(sent > 5, `${sent} mirror requests were sent in all`);
});
