/** forward2kni for primaries that have none of their own: a capture whose sink is a TAP interface. */
import { UsageError } from '../errors.js';
import { describe, type Primary } from '../primary/discover.js';
import type { ForwardRequest } from './request.js';

/**
 * The seam for that backend: carries out on, off and status for a primary other than DPVS, prints what it did (one JSON
 * document with `request.json`) and resolves with the exit code.
 */
export type ForwardToTap = (request: ForwardRequest, primary: Primary) => Promise<number>;

export const forwardToTap: ForwardToTap = async (request, primary) => {
  throw new UsageError(`${describe(primary)} is not DPVS: forwarding its ports to an interface is not built yet`, {
    subject: primary.filePrefix,
    hint: `look at the packets with: dpcap -i ${request.port}; for a DPVS under another name give --ipc-file`,
  });
};
