/** However `forward2kni ... --until-exit` on a DPVS ends, the switch does not outlive it. */
import { once } from 'node:events';
import { join } from 'node:path';
import t from 'tap';
import { FakeDpvs } from '../dpvs/helpers/fake-dpvs.js';
import { ownDir } from '../helpers/own-dir.js';
import { Dpcap, until } from '../mirror/helpers/dpcap.js';

for (const signal of ['SIGINT', 'SIGKILL'] as const) {
  t.test(`${signal}: off, and nothing is owed`, async (t) => {
    const dir = ownDir(t);
    const path = join(dir, 'ipc');
    const fake = await FakeDpvs.start({ path, dialect: 'C' });
    t.teardown(() => fake.stop());
    const dpcap = new Dpcap(join(dir, 'log'));
    const child = dpcap.start('forward2kni', 'dpdk0', 'on', '--until-exit', '--ipc-file', path);
    await once(child.stdout as NodeJS.ReadableStream, 'data');
    t.same([fake.ports[0]?.forward2kni, dpcap.journal().length], [true, 1], 'on, and in the journal');
    child.kill(signal);
    await until(() => fake.ports[0]?.forward2kni === false && dpcap.journal().length === 0, 'it is switched off');
    t.equal(fake.ports[0]?.forward2kni, false);
  });
}
