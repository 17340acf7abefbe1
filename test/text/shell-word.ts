import { execFileSync } from 'node:child_process';
import t from 'tap';
import { quoted, shellWord } from '../../src/text/shell-word.js';

t.equal(shellWord('/run/user/7-a.b'), '/run/user/7-a.b');
t.equal(quoted('a'), "'a'");
for (const text of ['', 'a b', "it's", '$(id)', '`id`', 'x;y', '*', '~', 'a\\b', '"']) {
  t.equal(execFileSync('sh', ['-c', `printf %s ${shellWord(text)}`], { encoding: 'utf8' }), text, text);
}
