import t from 'tap';
import { markdown, median, type Sample, summarise } from '../../bench/sample.js';

const sample = (tool: string, value: number, variant = '64 B'): Sample => ({
  figure: 'captured',
  variant,
  tool,
  value,
  unit: 'Mpps',
});

t.test('measurements of the same are summed up, in the order in which they came', async (t) => {
  t.equal(median([3, 1, 2]), 2);
  t.same(summarise([sample('b', 3), sample('a', 1), sample('b', 5), sample('b', 4)]), [
    { figure: 'captured', variant: '64 B', tool: 'b', unit: 'Mpps', median: 4, min: 3, max: 5, runs: 3 },
    { figure: 'captured', variant: '64 B', tool: 'a', unit: 'Mpps', median: 1, min: 1, max: 1, runs: 1 },
  ]);
});

t.test('a table for each figure', async (t) => {
  const samples = [sample('a', 1.2345), sample('b', 1), sample('b', 3), sample('a', 123.4, '1518 B')];
  t.equal(
    markdown(summarise([...samples, { ...sample('a', Number.NaN), figure: 'other', unit: 's' }])),
    `### captured (Mpps)

|  | a | b |
| --- | --- | --- |
| 64 B | 1.23 | 3 (1 to 3) |
| 1518 B | 123 | - |

### other (s)

|  | a |
| --- | --- |
| 64 B | none |`,
  );
});
