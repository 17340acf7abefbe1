import t from 'tap';
import { chooseBackend } from '../../src/forward2kni/backend.js';
import type { Primary } from '../../src/primary/discover.js';

const primary = (filePrefix: string, program: string, words: string[] = []): Primary =>
  ({
    filePrefix,
    state: 'running',
    shared: true,
    process: { program, commandLine: [program, ...words] },
  }) as unknown as Primary;

const dpvs = primary('rte', 'dpvs', ['-x', '/run/my.ipc']);
const testpmd = primary('tp', 'dpdk-testpmd');
const choose = (
  asked: { ipcFile?: string; filePrefix?: string; via?: 'dpvs' | 'tap' | 'virtio-user' },
  primaries: Primary[],
  { env = {}, sockets = [] as string[] } = {},
) =>
  chooseBackend(
    { ipcFile: asked.ipcFile, filePrefix: asked.filePrefix, via: asked.via },
    { env, primaries: () => primaries, isSocket: (path) => sockets.includes(path) },
  );
const DEFAULTS = ['/var/run/dpvs.ipc', '/var/run/dpvs_ctrl'];

t.match(choose({ ipcFile: '/a' }, [testpmd]), { kind: 'dpvs', sockets: ['/a'], primary: undefined });
t.match(choose({}, [testpmd], { env: { DPVS_IPC_FILE: '/b' } }), { kind: 'dpvs', sockets: ['/b'] });
t.match(choose({}, [dpvs]), { kind: 'dpvs', sockets: ['/run/my.ipc'], primary: { filePrefix: 'rte' } });
t.match(choose({}, [primary('rte', 'dpvs')]), { kind: 'dpvs', sockets: DEFAULTS });
t.match(choose({}, [testpmd]), { kind: 'tap', primary: { filePrefix: 'tp' } });
t.match(choose({ filePrefix: 'tp' }, [dpvs, testpmd], { env: { DPVS_IPC_FILE: '/b' } }), { kind: 'tap' });
t.match(choose({ filePrefix: 'rte' }, [dpvs, testpmd]), { kind: 'dpvs', sockets: ['/run/my.ipc'] });
t.match(choose({}, [], { sockets: ['/var/run/dpvs.ipc'] }), { kind: 'dpvs', sockets: DEFAULTS }, 'in a container');
t.throws(() => choose({}, []), { code: 'ERR_PRIMARY_ABSENT' });
t.throws(() => choose({}, [dpvs, testpmd]), { code: 'ERR_PRIMARY_AMBIGUOUS' });

t.test('--via', async (t) => {
  const env = { DPVS_IPC_FILE: '/b' };
  t.match(choose({ via: 'tap' }, [dpvs], { env }), { kind: 'tap', primary: { filePrefix: 'rte' } }, 'a DPVS, too');
  t.match(choose({ via: 'virtio-user' }, [testpmd], { env }), { kind: 'virtio-user', primary: { filePrefix: 'tp' } });
  t.match(choose({ via: 'virtio-user' }, [dpvs]), { kind: 'dpvs', primary: { filePrefix: 'rte' } }, 'its own devices');
  t.match(choose({ via: 'dpvs' }, [dpvs]), { kind: 'dpvs' });
  t.throws(() => choose({ via: 'dpvs' }, [testpmd]), { code: 'ERR_USAGE', message: /tp .* is no DPVS/ });
});
