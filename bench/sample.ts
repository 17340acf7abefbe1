/** What the benchmarks measure, and how it is shown. */

/** One measurement. */
export interface Sample {
  /** Of what, e.g. "captured when saturated". */
  figure: string;
  /** Under which circumstances, e.g. "64 B". */
  variant: string;
  tool: string;
  value: number;
  unit: string;
}

/** Several measurements of the same. */
export interface Summary extends Omit<Sample, 'value'> {
  median: number;
  min: number;
  max: number;
  runs: number;
}

export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  return sorted[Math.floor(sorted.length / 2)] ?? Number.NaN;
}

/** In the order in which they first came. */
export function summarise(samples: readonly Sample[]): Summary[] {
  const groups = new Map<string, Sample[]>();
  for (const sample of samples) {
    const key = keyOf(sample);
    groups.set(key, [...(groups.get(key) ?? []), sample]);
  }
  return [...groups.values()].map((group) => {
    const { value: _, ...rest } = group[0] as Sample;
    const values = group.map(({ value }) => value);
    return { ...rest, median: median(values), min: Math.min(...values), max: Math.max(...values), runs: values.length };
  });
}

function keyOf({ figure, variant, tool }: Sample): string {
  return JSON.stringify([figure, variant, tool]);
}

/** A table in Markdown for each figure: a row for each variant, a column for each tool. */
export function markdown(summaries: readonly Summary[]): string {
  return [...new Set(summaries.map(({ figure }) => figure))]
    .map((figure) =>
      tableOf(
        figure,
        summaries.filter((one) => one.figure === figure),
      ),
    )
    .join('\n\n');
}

function tableOf(figure: string, summaries: readonly Summary[]): string {
  const tools = [...new Set(summaries.map(({ tool }) => tool))];
  const variants = [...new Set(summaries.map(({ variant }) => variant))];
  const cell = (variant: string, tool: string): string => {
    const found = summaries.find((one) => one.variant === variant && one.tool === tool);
    return found ? describe(found) : '-';
  };
  const rows = variants.map((variant) => [variant, ...tools.map((tool) => cell(variant, tool))]);
  const lines = [['', ...tools], ['---', ...tools.map(() => '---')], ...rows];
  const unit = summaries[0]?.unit ?? '';
  return `### ${figure} (${unit})\n\n${lines.map((cells) => `| ${cells.join(' | ')} |`).join('\n')}`;
}

function describe({ median, min, max, runs }: Summary): string {
  return runs === 1 ? show(median) : `${show(median)} (${show(min)} to ${show(max)})`;
}

/** Three digits that count. */
function show(value: number): string {
  if (!Number.isFinite(value)) return 'none';
  return Math.abs(value) >= 100 ? value.toFixed(0) : String(Number(value.toPrecision(3)));
}
