import { chownSync, existsSync, readdirSync, readFileSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import { ForwarderStates } from '../../src/forward2kni/state.js';
import { ownDir } from '../helpers/own-dir.js';

const STATE = {
  filePrefix: 'rte',
  port: { id: 0, name: 'net_null0' },
  interfaces: ['net_null0.kni'],
  netns: '',
  startedAt: '2026-01-01T00:00:00.000Z',
  packets: 0,
  bytes: 0,
  nombuf: 0,
  ringfull: 0,
  sinkdrop: 0,
  filtered: 0,
};

t.test('a state is there while its process runs', async (t) => {
  const dir = ownDir(t);
  const states = new ForwarderStates(dir);
  t.same(states.running(), [], 'nothing was ever started');
  states.remove();
  states.save(STATE);
  states.save({ ...STATE, packets: 7 });
  t.match(new ForwarderStates(dir).running(), [{ ...STATE, packets: 7, pid: process.pid, startTicks: Number }]);
  t.same(readdirSync(join(dir, 'forwarders')), [`${process.pid}.json`], 'no unfinished file is left');
  t.equal(statSync(join(dir, 'forwarders')).mode & 0o777, 0o700, 'nobody else’s business');
  states.remove();
  t.same(states.running(), []);
});

t.test('what a dead process or somebody else left is removed', async (t) => {
  const dir = ownDir(t);
  const states = new ForwarderStates(dir);
  states.save(STATE);
  const file = (name: string) => join(dir, 'forwarders', name);
  const dead = { ...STATE, pid: process.pid, startTicks: 1 }; // its pid was given to this process
  writeFileSync(file(`${process.pid}.json`), JSON.stringify(dead));
  writeFileSync(file('1.json'), '{');
  writeFileSync(file('notes.txt'), '');
  t.same(states.running(), []);
  t.same(readdirSync(join(dir, 'forwarders')), ['notes.txt']);
});

t.test('the log of a forwarder in the background', async (t) => {
  const states = new ForwarderStates(ownDir(t));
  const fd = states.beginLog('rte', 3);
  writeFileSync(fd, 'words');
  t.ok(existsSync(states.logPath('rte', 3)));
  states.beginLog('rte', 3);
  t.equal(statSync(states.logPath('rte', 3)).size, 0, 'the next one begins anew');
  t.same(states.running(), [], 'and is no state');
});

const skip = process.geteuid?.() === 0 ? false : 'must run as root to have a second user';

t.test('a process that another user names is not taken for a forwarder: off would end it', { skip }, async (t) => {
  const dir = ownDir(t);
  const states = new ForwarderStates(dir);
  states.save(STATE);
  const file = join(dir, 'forwarders', `${process.pid}.json`);
  chownSync(file, 65534, 65534);
  t.same(states.running(), []);
  states.save(STATE);
  chownSync(join(dir, 'forwarders'), 65534, 65534);
  t.same(states.running(), []);
  t.throws(() => states.save(STATE), { code: 'EPERM' });
});

t.test('a forwarder of another PID namespace is neither ended nor forgotten while it may run', async (t) => {
  const dir = ownDir(t);
  const states = new ForwarderStates(dir);
  states.save(STATE);
  const file = join(dir, 'forwarders', `${process.pid}.json`);
  const state = JSON.parse(readFileSync(file, 'utf8'));
  t.type(state.pidNamespace, 'number');
  writeFileSync(file, JSON.stringify({ ...state, pidNamespace: 1 }));
  t.same(states.running(), []);
});

t.test('the log is never what somebody linked there', async (t) => {
  const dir = ownDir(t, { target: 'precious', forwarders: {} });
  const states = new ForwarderStates(dir);
  symlinkSync(join(dir, 'target'), states.logPath('rte', 3));
  writeFileSync(states.beginLog('rte', 3), 'words');
  t.equal(readFileSync(join(dir, 'target'), 'utf8'), 'precious');
});
