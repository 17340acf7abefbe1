import t from 'tap';
import { EbpfSession } from '../../../src/engine/session/ebpf-session.js';
import { ebpfAddon } from '../../../src/native/addons.js';
import { attempt, readProcess } from '../../../src/system/process.js';

const skip = attempt(() => ebpfAddon()) === undefined && 'no probes here';

t.test('no process gets probes that were meant for another one with its pid', { skip }, async (t) => {
  const own = { pid: process.pid, startTicks: readProcess(process.pid)?.startTicks ?? 0, table: 4096, rows: 1 };
  const before = { ...own, startTicks: own.startTicks - 1 };
  const attach = (processes: (typeof own)[]): Promise<unknown> => new EbpfSession({ processes, ports: [] }).attach();
  t.match(await attach([own]), { ports: [] });
  await t.rejects(attach([own, before]), { code: 'ERR_PRIMARY_GONE', errno: 'ESRCH', hint: /./ });
});
