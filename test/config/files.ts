import { chmodSync, chownSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t, { type Test } from 'tap';
import { type ConfigFile, readConfig } from '../../src/config/files.js';

/** The user's file, with this content; t.testdir() is this user's own. */
function userFile(t: Test, content: string): { path: string; read: () => ConfigFile | undefined } {
  const home = t.testdir({ dpcap: { 'config.json': content } });
  const path = join(home, 'dpcap', 'config.json');
  return { path, read: () => readConfig({ XDG_CONFIG_HOME: home })[1] };
}

t.test("the machine's file, then the user's", async (t) => {
  const { path, read } = userFile(t, '{"capture": {"format": "pcapng", "interface": [0, "any"]}}');
  t.equal(readConfig({ XDG_CONFIG_HOME: '/x' })[0]?.path, '/etc/dpcap/config.json');
  t.same(read(), { path, content: { capture: { format: 'pcapng', interface: [0, 'any'] } } });
  t.same(readConfig({ XDG_CONFIG_HOME: '/nowhere' })[1], { path: '/nowhere/dpcap/config.json', content: undefined });
});

t.test('one file instead, or none', async (t) => {
  const { path } = userFile(t, '{}');
  t.same(readConfig({ DPCAP_CONFIG: path }), [{ path, content: {} }]);
  t.same(readConfig({ DPCAP_CONFIG: '' }), []);
});

t.test('what is no configuration is refused with the place', async (t) => {
  const wrong: [string, RegExp][] = [
    ['{', /config\.json is no configuration: .*JSON/],
    ['[]', /the file: /],
    ['{"capture": 1}', /capture: /],
    ['{"capture": {"format": {}}}', /capture\.format: /],
    ['{"capture": {"format": null}}', /capture\.format: /],
  ];
  for (const [content, message] of wrong) t.throws(userFile(t, content).read, { message, exitCode: 2 }, content);
});

t.test('a file that others could have written is not used', async (t) => {
  const { path, read } = userFile(t, '{"capture": {"write": "/etc/passwd"}}');
  chmodSync(path, 0o666);
  t.match(read(), { content: undefined, fault: /can be written by everybody/ });
  chmodSync(path, 0o644);
  chmodSync(join(path, '..'), 0o777);
  t.match(read(), { content: undefined, fault: /can be written by everybody/ });
});

t.test("nor is another user's, or a link", { skip: process.geteuid?.() !== 0 && 'not root' }, async (t) => {
  const { path, read } = userFile(t, '{}');
  chownSync(path, 65534, 65534);
  t.match(read(), { content: undefined, fault: /belongs to user 65534/ });
  const home = t.testdir();
  mkdirSync(join(home, 'dpcap'));
  writeFileSync(join(home, 'other'), '{}');
  symlinkSync(join(home, 'other'), join(home, 'dpcap', 'config.json'));
  t.match(readConfig({ XDG_CONFIG_HOME: home })[1], { content: undefined, fault: /ELOOP/ });
});
