import t from 'tap';
import { nativeError, type Way } from '../../src/native/errors.js';

function hint(code: string, way?: Way): string | undefined {
  return nativeError(Object.assign(new Error('it failed'), { code }), way).hint;
}

t.test('a hint fits the way that a capture goes', async (t) => {
  t.match(hint('ERR_NO_MEMORY'), /huge pages/);
  t.notMatch(hint('ERR_NO_MEMORY', 'agent'), /huge pages/);
  t.match(hint('ERR_NO_MEMORY', 'ebpf'), /memory of the kernel/);
  t.match(hint('ERR_CAPTURE_BUSY', 'agent'), /dpcap list/, 'nothing is there to recover');
  t.match(hint('ERR_PERMISSION', 'ebpf'), /CAP_BPF/);
});

t.test('what all ways have in common is said for all', async (t) => {
  for (const way of ['pdump', 'agent', 'ebpf'] as const) t.match(hint('ERR_ADDON_LOAD', way), /--dpdk-libs/);
});
