/** A DPDK whose drivers lie in a folder of its own: no device of the primary's is touched there either. */
import { copyFileSync, existsSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { built } from '../harness/built.js';
import { capture, requirements, startTestpmd } from '../harness/index.js';
import { cannotCopyDpdk, copyLibraries, movePlugins, pluginFolder, previousMinor } from '../harness/other-dpdk.js';

const skip = requirements({ hugepagesMb: 64 }) || cannotCopyDpdk();

/** Libraries that take their plugins from a folder beside them, where there is a bus that says who scans it. */
function librariesIn(t: Test): { libraries: string; scans: string } {
  // EAL loads nothing from below a folder that everybody may write to, such as /tmp.
  const folder = mkdtempSync('/opt/dpcap-');
  t.teardown(() => rmSync(folder, { recursive: true, force: true }));
  const [libraries, plugins] = [join(folder, 'lib'), join(folder, 'drivers')];
  copyLibraries(libraries, previousMinor());
  movePlugins(libraries, plugins);
  mkdirSync(plugins);
  for (const name of readdirSync(pluginFolder())) symlinkSync(join(pluginFolder(), name), join(plugins, name));
  copyFileSync(built('telling-bus', 'telling-bus.so'), join(plugins, 'librte_bus_telling.so'));
  return { libraries, scans: join(folder, 'scans') };
}

t.test('what is in it is not scanned', { skip }, async (t) => {
  const { libraries, scans } = librariesIn(t);
  const ofPrimary = copyLibraries(join(t.testdir(), 'lib'), previousMinor());
  process.env.DPCAP_TEST_BUS = scans;
  t.teardown(() => delete process.env.DPCAP_TEST_BUS);
  const testpmd = await startTestpmd({ vdevs: ['net_null0'], memoryMb: 64, env: { LD_LIBRARY_PATH: ofPrimary } });
  t.teardown(() => testpmd.stop());
  await testpmd.command('start');
  const words = ['-i', '0', '--dpdk-libs', libraries, '-c', '100', '-w', '/dev/null'];
  const captured = await capture(testpmd, words);
  t.match(captured, { code: 0, final: { packets: 100 } }, captured.messages);
  t.notOk(existsSync(scans), 'nobody has scanned it');
});
