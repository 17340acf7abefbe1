/** `dpcap agent inject` under test. */
import { type Finished, startDpcap } from './processes.js';

/** What `--json` prints of what was done. */
export interface InjectReport {
  effect: 'planned' | 'injected' | 'unchanged';
  pid: number;
  delivery: 'path' | 'memfd';
  file_prefix: string;
  code: string;
  thread: { tid: number; name: string } | null;
  calls: { thread: string; tid: number; held_us: number }[];
}

/** Runs it to its end, without a question. */
export function runInject(pid: number, args: string[] = [], env: NodeJS.ProcessEnv = {}): Promise<Finished> {
  const running = startDpcap(['agent', 'inject', String(pid), '--yes', ...args], { env });
  running.closeStdin();
  return running.wait();
}

/** The same. @throws Error when it fails */
export async function inject(pid: number, args: string[] = []): Promise<InjectReport> {
  const { code, stdout, stderr } = await runInject(pid, ['--json', ...args]);
  if (code === 0) return JSON.parse(stdout) as InjectReport;
  throw new Error(`nothing was injected into ${pid}: ${stdout}${stderr}`);
}
