/** dpdk-pdump's closing lines. Pure. */
import { type StatsRecord, sum } from '../supervisor/report/stats-record.js';

/** The lines of one tuple, from the last records of its captures; a capture that failed before it began has none. */
export function statisticsLines(records: readonly (StatsRecord | undefined)[]): string[] {
  const lanes = records.flatMap((record) => record?.ports ?? []);
  const [written, lost] = [sum(lanes, 'written'), sum(lanes, 'sinkdrop') + sum(lanes, 'surplus')];
  return [
    '##### PDUMP DEBUG STATS #####',
    ` -packets dequeued:\t\t\t${written + lost}`,
    ` -packets transmitted to vdev:\t\t${written}`,
    ` -packets freed:\t\t\t${lost}`,
  ];
}
