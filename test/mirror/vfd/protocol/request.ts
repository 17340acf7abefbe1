import t from 'tap';
import { describeRequest, encodeRequest, type VfdRequest } from '../../../../src/mirror/vfd/protocol/request.js';

const reply = { fifo: '/var/lib/vfd/request_IPLEX.45', id: 'dpcap-1' };

/** The bytes of the reference (section 8), which are iplex's. */
const WORKED: [VfdRequest, string][] = [
  [{ action: 'ping' }, '{"action": "ping", "params": {"loglevel": 0, "r_fifo": "/var/lib/vfd/request_IPLEX.45"}}\n\n'],
  [
    { action: 'show', resource: 'mirrors' },
    '{"action": "show", "params": {"loglevel": 0, "resource": "mirrors", "r_fifo": "/var/lib/vfd/request_IPLEX.45"}}\n\n',
  ],
  [
    { action: 'mirror', resource: '0 1 in 3' },
    '{"action": "mirror", "params": {"loglevel": 0, "resource": "0 1 in 3", "r_fifo": "/var/lib/vfd/request_IPLEX.45"}}\n\n',
  ],
  [
    { action: 'mirror', resource: '0 1 off' },
    '{"action": "mirror", "params": {"loglevel": 0, "resource": "0 1 off", "r_fifo": "/var/lib/vfd/request_IPLEX.45"}}\n\n',
  ],
  [
    { action: 'add', filename: '/var/lib/vfd/config/guest_a.json' },
    '{"action": "add", "params": {"loglevel": 0, "r_fifo": "/var/lib/vfd/request_IPLEX.45", "filename": "/var/lib/vfd/config/guest_a.json"}}\n\n',
  ],
  [
    { action: 'delete', filename: '/var/lib/vfd/config_live/guest_b.json' },
    '{"action": "delete", "params": {"loglevel": 0, "r_fifo": "/var/lib/vfd/request_IPLEX.45", "filename": "/var/lib/vfd/config_live/guest_b.json"}}\n\n',
  ],
];

for (const [request, bytes] of WORKED) {
  const ours = encodeRequest(request, reply).toString();
  t.equal(ours.replace(', "vfd_rid": "dpcap-1"', ''), bytes, `${describeRequest(request)}: iplex's bytes, and an id`);
  t.match(ours, '"vfd_rid": "dpcap-1"');
}
t.match(encodeRequest({ action: 'verbose', loglevel: 3 }, reply).toString(), '"loglevel": 3');
t.equal(describeRequest({ action: 'verbose', loglevel: 3 }), 'verbose --loglevel=3');
t.equal(describeRequest({ action: 'dump' }), 'dump');
