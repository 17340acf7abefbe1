import { join } from 'node:path';
import t from 'tap';
import { checkOptions } from '../../../src/cli/capture-options.js';
import { chooseTarget } from '../../../src/cli/output/capture-target.js';

t.test('-U tells the name to follow, also of files that have no known one', async (t) => {
  const write = join(t.testdir(), 'x.pcap');
  const noteOf = (raw: object): string | undefined => chooseTarget(checkOptions({ write, ...raw })).note;
  t.equal(noteOf({ packetBuffered: 1 }), `as ${write}.partial until it is complete`);
  const several = { fileSize: '1' };
  t.equal(noteOf(several), undefined);
  t.equal(
    noteOf({ ...several, packetBuffered: 1 }),
    `as ${write}.${process.pid}-RANDOM.partial until each file is complete`,
  );
});
