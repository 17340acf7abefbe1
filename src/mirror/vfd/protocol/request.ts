/** Requests to VFd: their types and their bytes. */

/** One request. A request that iplex cannot make cannot be made here either. */
export type VfdRequest =
  | { action: 'ping' }
  | { action: 'dump' }
  | { action: 'show'; resource: string }
  | { action: 'mirror'; resource: string }
  | { action: 'verbose'; loglevel: number }
  | { action: 'add'; filename: string }
  | { action: 'delete'; filename: string };

/** Where VFd writes the answer, and the id that the answer repeats. */
export interface Reply {
  fifo: string;
  id: string;
}

/** Encodes a request as iplex does: its blanks, its members, then an empty line. Only the request id is dpcap's own. */
export function encodeRequest(request: VfdRequest, reply: Reply): Buffer {
  const loglevel = request.action === 'verbose' ? request.loglevel : 0;
  const params = [
    `"loglevel": ${loglevel}`,
    ...('resource' in request ? [`"resource": "${request.resource}"`] : []),
    `"r_fifo": "${reply.fifo}"`,
    ...('filename' in request ? [`"filename": "${request.filename}"`] : []),
    `"vfd_rid": "${reply.id}"`,
  ];
  return Buffer.from(`{"action": "${request.action}", "params": {${params.join(', ')}}}\n\n`, 'utf8');
}

/** The request for messages, as a person would type it for iplex. */
export function describeRequest(request: VfdRequest): string {
  if ('resource' in request) return `${request.action} ${request.resource}`;
  if ('filename' in request) return `${request.action} ${request.filename}`;
  return request.action === 'verbose' ? `verbose --loglevel=${request.loglevel}` : request.action;
}
