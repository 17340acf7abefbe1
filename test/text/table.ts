import t from 'tap';
import { alignRows } from '../../src/text/table.js';

t.same(
  alignRows([
    ['a', 'bb', ''],
    ['ccc', '', 'd'],
  ]),
  ['a    bb', 'ccc      d'],
);
t.same(alignRows([]), []);
