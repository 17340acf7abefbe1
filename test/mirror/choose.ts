/** Who carries a mirror out: by what is named, and by what was asked for. */
import t from 'tap';
import { isAboutPorts } from '../../src/mirror/choose.js';

t.test('ports are of the agent, VFs are not', async (t) => {
  t.equal(isAboutPorts('port', undefined), true);
  t.equal(isAboutPorts('port', 'agent'), true);
  t.equal(isAboutPorts('vf', undefined), false);
  t.equal(isAboutPorts('vf', 'vfd'), false);
  t.equal(isAboutPorts('vf', 'plan'), false);
  t.equal(isAboutPorts('nothing', 'agent'), true);
  t.equal(isAboutPorts('nothing', undefined), false);
  t.throws(() => isAboutPorts('port', 'vfd'), { code: 'ERR_USAGE', message: /--via vfd mirrors VFs, not ports/ });
  t.throws(() => isAboutPorts('vf', 'agent'), { code: 'ERR_USAGE', message: /--via agent mirrors ports, not VFs/ });
});
