import t from 'tap';
import { accountIn, accountOf } from '../../../src/system/users/accounts.js';

t.test('users by name', async (t) => {
  const passwd = 'root:x:0:0:root:/root:/bin/sh\nalice:x:1000:1001:,,,:/home/alice:/bin/sh\nbroken\n';
  t.same(accountIn(passwd, 'alice'), { uid: 1000, gid: 1001 });
  for (const name of ['1000', 'broken', '', 'x']) t.equal(accountIn(passwd, name), undefined, name);
  t.same(accountOf('root'), { uid: 0, gid: 0 });
  t.equal(accountOf('dpcap-nonesuch'), undefined);
});
