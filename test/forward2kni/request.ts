import t from 'tap';
import { checkDuration, checkRequest, offCommand } from '../../src/forward2kni/request.js';

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
for (const [text, ms] of [
  ['1', 1000],
  ['90s', 90_000],
  ['1.5m', 90_000],
  ['2h', 7_200_000],
  ['250ms', 250],
] as const) {
  t.equal(checkDuration(text), ms, text);
}
for (const bad of ['', '0', '-1', '5x', 'm', '1e3', '700h', '5 m']) {
  t.throws(() => checkDuration(bad), { code: 'ERR_USAGE', message: /no duration/ }, JSON.stringify(bad));
}
t.throws(() => checkRequest('dpdk0', 'toggle', {}), { code: 'ERR_USAGE', hint: 'use on, off or status' });
t.throws(() => checkRequest('', 'on', {}), { code: 'ERR_USAGE' });
t.throws(() => checkRequest('dpdk0', 'off', { for: '1s' }), { message: '--for goes with "on" only' });
t.throws(() => checkRequest('dpdk0', 'status', { untilExit: true }), { message: '--until-exit goes with "on" only' });
t.equal(offCommand(checkRequest('dpdk0', 'on', {})), 'dpcap forward2kni dpdk0 off');
t.equal(offCommand(checkRequest('0', 'on', { filePrefix: 'x' })), 'dpcap forward2kni 0 off --file-prefix x');

t.equal(offCommand(checkRequest('dpdk0', 'on', { via: 'tap' })), 'dpcap forward2kni dpdk0 off --via tap');
t.throws(() => checkRequest('0', 'on', { via: 'kni' }), { code: 'ERR_USAGE', hint: 'use dpvs or tap' });
t.throws(() => checkRequest('0', 'on', { via: 'tap', ipcFile: '/x' }), { code: 'ERR_USAGE', message: /--ipc-file/ });
