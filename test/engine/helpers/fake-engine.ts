/**
 * An engine that joins nothing. What it does is in the plan's `purpose`, a comma-separated script:
 * seed<N>: fail with ERR_EAL_INIT unless --random-seed is N; run: say started, end when told; print: to standard error; die: exit without a word;
 * stay: do not end when told, but when given up.
 */
import type { FromEngine, ToEngine } from '../../../src/protocol/messages.js';

const send = (message: FromEngine): unknown => process.send?.(message);
const done = (reason: 'signal' | 'error', error?: 'ERR_EAL_INIT'): void => {
  const record = error && { error, message: 'clash', exitCode: 1 };
  process.send?.(
    { type: 'done', capture: 0, reason, stats: undefined, error: record, leftBehind: [], file: undefined },
    () => process.exit(0),
  );
};

let stays = false;

process.on('message', (message: ToEngine) => {
  if (message.type === 'stop') return stays ? undefined : done('signal');
  if (message.type === 'abandon') process.exit(1);
  if (message.type === 'report') return;
  if (message.type === 'flush') return void send({ type: 'notice', capture: 0, text: 'flushed' });
  if (message.type === 'recover') {
    const report = { cleared: [{ name: 'x', pid: 1, purpose: '', lanes: 1 }], inDoubt: [], running: [] };
    process.send?.({ type: 'recovered', report, error: undefined }, () => process.exit(0));
    return;
  }
  const script = message.plan.purpose.split(',');
  const seed = script.find((word) => word.startsWith('seed'))?.slice(4);
  if (seed && !process.execArgv.includes(`--random-seed=${seed}`)) return done('error', 'ERR_EAL_INIT');
  stays = script.includes('stay');
  if (script.includes('print')) process.stderr.write('words of a library\n');
  if (script.includes('die')) process.kill(process.pid, 'SIGKILL');
  send({
    type: 'started',
    capture: 0,
    lanes: [],
    ports: [],
    mbufs: 1023,
    instructions: 0,
    filteringHere: false,
    pollNs: 0,
  });
});
send({ type: 'ready' });
