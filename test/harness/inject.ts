/** `dpcap agent inject` under test. */
import { readProcess } from '../../src/system/process.js';
import { childrenOf } from './engine.js';
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

/** The process of this program that was started through others, such as unshare(1). */
export function programBelow(pid: number, program: string): number {
  const [child] = childrenOf(pid);
  return child === undefined || readProcess(pid)?.program === program ? pid : programBelow(child, program);
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
