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
  asked: { ipcFile?: string; filePrefix?: string },
  primaries: Primary[],
  { env = {}, sockets = [] as string[] } = {},
) =>
  chooseBackend(
    { ipcFile: asked.ipcFile, filePrefix: asked.filePrefix },
    { env, primaries: () => primaries, isSocket: (path) => sockets.includes(path) },
  );
const DEFAULTS = ['/var/run/dpvs.ipc', '/var/run/dpvs_ctrl'];

t.same(choose({ ipcFile: '/a' }, [testpmd]), { kind: 'dpvs', sockets: ['/a'] });
t.same(choose({}, [testpmd], { env: { DPVS_IPC_FILE: '/b' } }), { kind: 'dpvs', sockets: ['/b'] });
t.same(choose({}, [dpvs]), { kind: 'dpvs', sockets: ['/run/my.ipc'] });
t.same(choose({}, [primary('rte', 'dpvs')]), { kind: 'dpvs', sockets: DEFAULTS });
t.match(choose({}, [testpmd]), { kind: 'tap', primary: { filePrefix: 'tp' } });
t.match(choose({ filePrefix: 'tp' }, [dpvs, testpmd], { env: { DPVS_IPC_FILE: '/b' } }), { kind: 'tap' });
t.match(choose({ filePrefix: 'rte' }, [dpvs, testpmd]), { kind: 'dpvs', sockets: ['/run/my.ipc'] });
t.same(choose({}, [], { sockets: ['/var/run/dpvs.ipc'] }), { kind: 'dpvs', sockets: DEFAULTS }, 'in a container');
t.throws(() => choose({}, []), { code: 'ERR_PRIMARY_ABSENT' });
t.throws(() => choose({}, [dpvs, testpmd]), { code: 'ERR_PRIMARY_AMBIGUOUS' });
