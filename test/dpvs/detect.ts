import { join } from 'node:path';
import t from 'tap';
import { DpvsClient } from '../../src/dpvs/client.js';
import { FakeDpvs, type FakeOptions, type Fault, type SeenRequest } from './helpers/fake-dpvs.js';
import { tempDir } from './helpers/temp-dir.js';

async function probe(dir: string, options: Omit<FakeOptions, 'path'>) {
  const fake = await FakeDpvs.start({ ...options, path: join(dir, 'ipc') });
  try {
    const client = new DpvsClient(join(dir, 'ipc'));
    const result = await client.identity().catch((error: Error) => error);
    return { result, requests: fake.requests };
  } finally {
    await fake.stop();
  }
}

const OLD = 'DPDK-FULLNAT Server version 1.1.4 (size=0)';
const CASES: [string, Omit<FakeOptions, 'path'>, { name: string; release?: string; doubt: boolean }][] = [
  ['1.9.4', { dialect: 'A' }, { name: 'A', release: '1.9-4', doubt: false }],
  ['before 1.9.4', { dialect: 'A', version: OLD }, { name: 'A', doubt: false }],
  ['1.9.6', { dialect: 'B' }, { name: 'B', release: '1.9-6', doubt: false }],
  ['1.9.8', { dialect: 'C', version: 'dpvs:v1.9-8' }, { name: 'C', release: '1.9-8', doubt: false }],
  ['1.9.10', { dialect: 'C', version: 'dpvs:v1.9-10' }, { name: 'C', release: '1.9-10', doubt: false }],
  ['1.10.2', { dialect: 'C' }, { name: 'C', release: '1.10-2', doubt: false }],
  ['a later release', { dialect: 'C', version: 'dpvs:v1.11-0' }, { name: 'C', release: '1.11-0', doubt: true }],
  ['C that says it is 1.9.6', { dialect: 'C', version: 'dpvs:v1.9-6' }, { name: 'C', release: '1.9-6', doubt: true }],
  ['B that says it is 1.9.8', { dialect: 'B', version: 'dpvs:v1.9-8' }, { name: 'B', release: '1.9-8', doubt: true }],
  ['a modified version', { dialect: 'C', version: 'our-lb 3' }, { name: 'C', doubt: true }],
  [
    'A that says it is 1.10.2',
    { dialect: 'A', version: 'dpvs:v1.10-2' },
    { name: 'A', release: '1.10-2', doubt: true },
  ],
];
for (const [name, options, expected] of CASES) {
  t.test(name, async (t) => {
    const { result, requests } = await probe(tempDir(t), options);
    t.match(result, { dialect: { name: expected.name }, release: expected.release });
    t.equal((result as { doubt?: string }).doubt !== undefined, expected.doubt);
    t.ok(
      requests.every(({ type, body }) => type === 0 && body.length <= 1),
      'read-only probes',
    );
    t.match(requests[0], { id: 17, body: Buffer.alloc(0) });
  });
}

const onId = (id: number, fault: Fault) => (request: SeenRequest) => (request.id === id ? fault : undefined);
const REFUSED: [string, Omit<FakeOptions, 'path'>][] = [
  ['closes on everything', { dialect: 'C', fault: () => ({ kind: 'close' }) }],
  ['answers 17, but has no port list of C and none of B', { dialect: 'C', fault: onId(60, { kind: 'close' }) }],
  ['says -4 like B, but has no list where B has it', { dialect: 'B', fault: onId(59, { kind: 'close' }) }],
  ['answers 200, but has no port list of A', { dialect: 'A', fault: onId(503, { kind: 'close' }) }],
  ['has an empty version', { dialect: 'C', version: '' }],
  ['has a version that is no text', { dialect: 'C', version: '\x1b]0;x' }],
];
for (const [name, options] of REFUSED) {
  t.test(`no DPVS: ${name}`, async (t) => {
    const { result } = await probe(tempDir(t), options);
    t.match(result, { code: 'ERR_DPVS_FOREIGN', message: /answers no request that a known release has/ });
  });
}
