/** A primary of ours that looks like DPVS (test/native/primaries/dpvs-primary.c): built on first use, one for each test. */
import { built } from './built.js';
import { uniqueName } from './owned.js';
import { startOwnedPrimary } from './owned-primary.js';
import type { Running } from './processes.js';

export interface DpvsPrimaryOptions {
  /** Bytes of the pdump request it takes: 112 stock, 120 DPVS 1.10, 104 DPVS 1.9. */
  layout: 104 | 112 | 120;
  /** `--vdev` arguments. */
  vdevs: string[];
  /** Its control socket, as DPVS's -x. */
  ipcFile?: string;
  /**
   * The first request that does not enable is carried out and answered so many milliseconds late; those to disable
   * transmitted packets are refused until something is written to its standard input.
   */
  lateMs?: number;
}

/** One pdump request as it was answered. */
export interface PdumpRequestSeen {
  len: number;
  ver: number;
  op: number;
  filter0: string;
  result: number;
}

export interface DpvsPrimary {
  prefix: string;
  process: Running;
  /** So far. */
  requests(): PdumpRequestSeen[];
  /** Ends it in order, or by force, and removes its files. */
  stop(): Promise<{ code: number | null }>;
}

/** Starts it and waits until it forwards. @throws Error with its output */
export async function startDpvsPrimary({ layout, vdevs, ipcFile, lateMs }: DpvsPrimaryOptions): Promise<DpvsPrimary> {
  const program = built('dpvs_primary', 'dpvs');
  const prefix = uniqueName();
  const own = ['-p', String(layout), ...(ipcFile ? ['-x', ipcFile] : []), ...(lateMs ? ['-l', String(lateMs)] : [])];
  const eal = ['--file-prefix', prefix, '-m', '64', '--lcores', '0@0,1@0', '--no-pci'];
  const words = [...own, '--', ...eal, ...vdevs.flatMap((vdev) => ['--vdev', vdev])];
  const { process, stop } = await startOwnedPrimary(prefix, program, words);
  return { prefix, process, requests: () => requestsIn(process.stdout), stop };
}

function requestsIn(output: string): PdumpRequestSeen[] {
  return [...output.matchAll(/^request len=(\d+) ver=(\d+) op=(\d+) filter0=(\w+) result=(-?\d+)$/gm)].map(
    ([, len, ver, op, filter0, result]) => ({
      len: Number(len),
      ver: Number(ver),
      op: Number(op),
      filter0: filter0 as string,
      result: Number(result),
    }),
  );
}
