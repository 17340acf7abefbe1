/** Requests to VFd: what they are, and their bytes. */

/** One request. What iplex cannot say cannot be said here either. */
export type VfdRequest =
  | { action: 'ping' }
  | { action: 'dump' }
  | { action: 'show'; resource: string }
  | { action: 'mirror'; resource: string }
  | { action: 'verbose'; loglevel: number }
  | { action: 'add'; filename: string }
  | { action: 'delete'; filename: string };

/** Where the answer goes, and how it is known again. */
export interface Reply {
  fifo: string;
  id: string;
}

/** iplex's bytes: its blanks, its members, then an empty line; ours is only the request id. */
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

/** For messages: as a person would type it for iplex. */
export function describeRequest(request: VfdRequest): string {
  if ('resource' in request) return `${request.action} ${request.resource}`;
  if ('filename' in request) return `${request.action} ${request.filename}`;
  return request.action === 'verbose' ? `verbose --loglevel=${request.loglevel}` : request.action;
}
