import t from 'tap';
import { refuseBusy } from '../../src/engine/busy-lanes.js';
import type { LanePlan } from '../../src/native/capture-binding.js';

const LANE: LanePlan = { device: 'net_null0', port: 0, queue: 1, direction: 'rx', interface: 0 };
const HELD = { device: 'net_null0', port: 0, queue: 1, direction: 'rx' as const, live: true };
const OWNER = {
  name: 'dpcap_7_a',
  pid: 7,
  running: true,
  startedAtNs: 1_795_925_372_000_000_000n,
  purpose: 'dpcap -i 0',
  lanes: [HELD],
};

t.test('the capture that holds a lane is named', async (t) => {
  t.throws(() => refuseBusy([LANE], [OWNER]), {
    code: 'ERR_CAPTURE_BUSY',
    errno: 'EEXIST',
    message: 'net_null0 queue 1 rx is already being captured (dpcap, pid 7, since 2026-11-29 04:09:32 UTC: dpcap -i 0)',
  });
  t.throws(() => refuseBusy([LANE], [{ ...OWNER, running: false }]), {
    message: 'net_null0 queue 1 rx is already being captured (a dpcap that was killed, pid 7)',
    hint: 'clear it with: dpcap recover',
  });
});

t.test('other lanes are no obstacle, nor one that was let go of', async (t) => {
  const others = [
    { ...LANE, queue: 0 },
    { ...LANE, port: 1 },
    { ...LANE, direction: 'tx' as const },
  ];
  refuseBusy(others, [OWNER]);
  refuseBusy([LANE], [{ ...OWNER, lanes: [{ ...HELD, live: false }] }]);
  t.pass();
});
