/** Finds the DPVS that answers. */
import { DpcapError } from '../errors.js';
import { DpvsClient } from './client.js';

/**
 * Opens the first of `paths` where a DPVS answers. The next path is tried only when the DPVS is absent.
 * @throws DpcapError ERR_DPVS_ABSENT, ERR_DPVS_TIMEOUT, ERR_DPVS_FOREIGN or ERR_PERMISSION
 */
export async function openDpvs(paths: readonly string[]): Promise<DpvsClient> {
  const absences: DpcapError[] = [];
  for (const path of paths) {
    const client = new DpvsClient(path);
    try {
      await client.identity();
      return client;
    } catch (error) {
      if (!(error instanceof DpcapError) || error.code !== 'ERR_DPVS_ABSENT') throw error;
      absences.push(error);
    }
  }
  const [first] = absences;
  if (first && absences.length === 1) throw first;
  // A socket on which nobody listens tells more than one that is not there.
  const told = absences.find((error) => error.errno !== 'ENOENT');
  if (told) throw told;
  throw new DpcapError('ERR_DPVS_ABSENT', `DPVS has no socket at ${paths.join(' or ')}`, {
    ...{ errno: 'ENOENT', cause: first },
    hint: 'start DPVS, or name its socket with --ipc-file or DPVS_IPC_FILE (dpvs -x PATH)',
  });
}
