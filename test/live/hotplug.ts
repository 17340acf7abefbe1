/** An attached secondary must not stand in the way of the primary's own hot-plug, which asks every process. */
import t from 'tap';
import {
  balances,
  isForwarding,
  isUnharmed,
  remember,
  requirements,
  startCapture,
  underLoad,
} from '../harness/index.js';

t.test('ports come and go while dpcap captures', { skip: requirements({ hugepagesMb: 256 }) }, async (t) => {
  const testpmd = await underLoad(t);
  const before = await remember(testpmd);
  const running = await startCapture(testpmd, ['-i', '0', '-s', '64', '-w', '/dev/null']).started();
  await testpmd.command('port attach net_null9', /Port 2 is attached/);
  t.match(await testpmd.command('show port summary all'), /net_null9/, 'a port was attached');
  await testpmd.command('port stop 2');
  await testpmd.command('port detach 2', /Device is detached|Port 2 is detached|is now detached|detached/i);
  t.notMatch(await testpmd.command('show port summary all'), /net_null9/, 'and detached');
  balances(t, await running.stop());
  await isUnharmed(t, testpmd, before, 'hot-plug');
  await isForwarding(t, testpmd, 'hot-plug');
});
