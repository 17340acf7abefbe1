/** A mirror that takes connections and sends nothing: what fetches from it ends by itself, and tests are skipped for it. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { createServer } from 'node:net';
import { text } from 'node:stream/consumers';
import t, { type Test } from 'tap';
import { projectFile } from '../../src/system/location.js';

const skip = process.getuid?.() !== 0 && 'a chroot needs root';

/** Runs a script with such a mirror. Resolves with how it ended. */
async function fetchFromHung(t: Test, script: string, words: string[]) {
  const mirror = createServer(() => {});
  mirror.listen(0, '127.0.0.1');
  await once(mirror, 'listening');
  const { port } = mirror.address() as AddressInfo;
  const { http_proxy: _, HTTP_PROXY: __, ...env } = process.env;
  const child = spawn(projectFile(`scripts/${script}`), words, {
    env: {
      ...env,
      DPCAP_MIRROR: `http://127.0.0.1:${port}/debian`,
      DPCAP_CACHE: t.testdir({}),
      DPCAP_FETCH_LIMIT: '1',
    },
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  t.teardown(() => child.kill());
  const [stderr, [code]] = await Promise.all([text(child.stderr), once(child, 'exit')]);
  mirror.close();
  return { code, stderr };
}

t.test('no chroot can be made', { skip }, async (t) => {
  const words = ['none', 'trixie', 'tcpdump', 'true'];
  t.match(await fetchFromHung(t, 'chroot.sh', words), {
    code: 77,
    stderr: /chroot: (cannot make a chroot of trixie from http.* DPCAP_FETCH_LIMIT|debootstrap is not installed)/,
  });
});

t.test('the DPDK of a release cannot be had', { skip }, async (t) => {
  t.match(await fetchFromHung(t, 'release-test.sh', ['trixie']), {
    code: 77,
    stderr: /release-test: cannot get the DPDK of trixie: is its mirror out of reach\?/,
  });
});
