/** Undoing mirrors of ports by the journal, where nobody is left to ask. */
import t from 'tap';
import { undoAgentMirror } from '../../../src/mirror/agent/undo.js';
import type { JournalEntry } from '../../../src/system/journal.js';
import { readProcess } from '../../../src/system/process.js';

function entry(undo: unknown): { entry: JournalEntry } {
  const identity = { pid: 1, startTicks: 1, pidNamespace: 1 };
  return { entry: { kind: 'agent-mirror', subject: 'x', ...identity, createdAt: '', undo } };
}

t.test('a mirror ends with its application, also when another process has its pid by now', async (t) => {
  const record = { socket: '/nowhere', id: 31, pid: process.pid, startTicks: 1 };
  t.match(await undoAgentMirror(entry(record)), /mirror 0000001f has ended with its application, process \d+/);
});

t.test('an application that lives and does not answer: it is not known to be undone', async (t) => {
  const startTicks = readProcess(process.pid)?.startTicks ?? 0;
  const record = { socket: '/nowhere', id: 31, pid: process.pid, startTicks };
  await t.rejects(undoAgentMirror(entry(record)), { code: 'ERR_PRIMARY_NOT_CAPTURABLE' });
});

t.test('an entry that makes no sense', async (t) => {
  for (const undo of [undefined, {}, { socket: 1 }, { socket: '/x', id: 0, pid: 1, startTicks: 1 }]) {
    await t.rejects(undoAgentMirror(entry(undo)), { code: 'ERR_SYSTEM', hint: /dpcap mirror list/ });
  }
});
