/** Looks users up by name, wherever this system keeps them. */
import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';

/** The ids of a user. */
export interface Account {
  uid: number;
  gid: number;
}

/** The user with this name, undefined when there is none. Asks getent, which knows LDAP and the like, else /etc/passwd. */
export function accountOf(name: string): Account | undefined {
  const { stdout, error } = spawnSync('getent', ['passwd', '--', name], { encoding: 'utf8' });
  return accountIn(error ? readFileSync('/etc/passwd', 'utf8') : stdout, name);
}

/** The user in the text of a passwd file. Pure. */
export function accountIn(passwd: string, name: string): Account | undefined {
  const fields = passwd.split('\n').map((line) => line.split(':'));
  // getent takes a number for a uid; here a name is a name.
  const found = fields.find(([one]) => one === name);
  const [uid, gid] = [Number(found?.[2]), Number(found?.[3])];
  return found && Number.isInteger(uid) && Number.isInteger(gid) ? { uid, gid } : undefined;
}
