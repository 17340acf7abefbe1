import t from 'tap';
import { checkRequest, offCommand } from '../../src/forward2kni/request.js';

t.same(checkRequest('dpdk0', 'on', { for: '5m', json: true }), {
  port: 'dpdk0',
  action: 'on',
  ipcFile: undefined,
  filePrefix: undefined,
  via: undefined,
  durationMs: 300_000,
  untilExit: false,
  force: false,
  json: true,
});
t.match(checkRequest('dpdk0', 'on', { for: '30d' }), { durationMs: 30 * 86_400_000 });
t.throws(() => checkRequest('dpdk0', 'toggle', {}), { code: 'ERR_USAGE', hint: 'use on, off or status' });
t.throws(() => checkRequest('', 'on', {}), { code: 'ERR_USAGE' });
t.throws(() => checkRequest('dpdk0', 'off', { for: '1s' }), { message: '--for goes with "on" only' });
t.throws(() => checkRequest('dpdk0', 'status', { untilExit: true }), { message: '--until-exit goes with "on" only' });
t.equal(offCommand(checkRequest('dpdk0', 'on', {})), 'dpcap forward2kni dpdk0 off');
t.equal(offCommand(checkRequest('0', 'on', { filePrefix: 'x' })), 'dpcap forward2kni 0 off --file-prefix x');

t.equal(offCommand(checkRequest('dpdk0', 'on', { via: 'tap' })), 'dpcap forward2kni dpdk0 off --via tap');
t.throws(() => checkRequest('0', 'on', { via: 'kni' }), { code: 'ERR_USAGE', hint: 'use dpvs, tap, virtio-user' });
t.throws(() => checkRequest('0', 'on', { via: 'tap', ipcFile: '/x' }), { code: 'ERR_USAGE', message: /--ipc-file/ });
