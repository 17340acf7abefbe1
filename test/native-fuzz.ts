/** The fuzzers for a bounded time, from where they left off. `scripts/fuzz-agent.sh` has no end. */
import { execFileSync } from 'node:child_process';
import t from 'tap';
import { projectFile } from '../src/system/location.js';

/** Seconds for each. */
const BOUND = '10';

function hasFuzzer(): boolean {
  try {
    execFileSync('clang', ['-fsanitize=fuzzer', '-x', 'c', '-', '-o', '/dev/null'], {
      input: 'int LLVMFuzzerTestOneInput(const void *data, unsigned long size) { return 0; }',
      stdio: ['pipe', 'ignore', 'ignore'],
    });
    return true;
  } catch {
    return false;
  }
}

t.test(
  'messages to the agent, programs for its compiler, and files of packets',
  { skip: !hasFuzzer() && 'needs clang with libFuzzer' },
  async (t) => {
    const said = execFileSync('scripts/fuzz-agent.sh', [BOUND], {
      cwd: projectFile(''),
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    for (const name of ['agent_messages', 'filter_jit', 'packet_file']) {
      const inputs = Number(new RegExp(`^${name}: (\\d+) inputs, nothing found$`, 'm').exec(said)?.[1]);
      t.ok(inputs > 1000, `${name}: ${inputs} inputs`);
    }
  },
);
