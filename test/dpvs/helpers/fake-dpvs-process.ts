/** A fake DPVS as a process of its own, to be stopped and killed: `node fake-dpvs-process.js PATH A|B|C`. */
import { type DialectName, FakeDpvs } from './fake-dpvs.js';

const [path, dialect] = process.argv.slice(2) as [string, DialectName];
await FakeDpvs.start({ path, dialect });
process.stdout.write('listening\n');
