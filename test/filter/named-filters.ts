/** Every filter in filters/: described, compiled, and run on packets that it must select and must reject. */
import t from 'tap';
import { compileFilter } from '../../src/filter/compile.js';
import { filterFolders, listFilters } from '../../src/filter/text/named-filters.js';
import { concat } from '../helpers/frames.js';
import { NAMED_CASES } from '../helpers/named-cases.js';
import { binding } from '../helpers/native.js';

const tools = { native: binding(), folders: filterFolders({ HOME: '/nonexistent' }).slice(0, 1) };
const filters = listFilters(tools.folders);
const tagged = (frame: Uint8Array): Uint8Array => concat(frame.slice(0, 12), [0x81, 0, 0, 7], frame.slice(12));

t.ok(filters.length >= 30, `there are ${filters.length}`);
t.same(Object.keys(NAMED_CASES).sort(), filters.map(({ name }) => name).sort(), 'each has packets to be tested with');

for (const { name, description } of filters) {
  t.test(name, async (t) => {
    const program = compileFilter({ filters: [name] }, tools);
    const [selected, rejected] = NAMED_CASES[name] as [Uint8Array[], Uint8Array[]];
    const verdicts = (frames: Uint8Array[]): number[] => [
      ...tools.native.runExtended(program?.extended as Uint8Array, frames),
    ];
    t.ok(description.length > 3);
    t.ok(selected.length > 0 && rejected.length > 0);
    t.notOk(verdicts([...selected, ...selected.map(tagged)]).includes(0), 'selects, with and without a VLAN tag');
    t.notOk(verdicts([...rejected, ...rejected.map(tagged)]).includes(1), 'rejects');
  });
}
