/** run(argv): parse, act, exit code. The only place that prints an error. */
import './system/signals.js';
import { CommanderError } from 'commander';
import { createProgram, expandAliases } from './cli/program.js';
import { asDpcapError, DpcapError, errnoOf, formatError } from './errors.js';
import { diagnostics } from './system/diagnostics.js';

/**
 * Runs one command line and returns its exit code: 0 done or stopped as asked, 1 failed, 2 usage.
 * @param argv arguments after the program's name
 */
export async function main(argv: string[]): Promise<number> {
  const isJson = argv.includes('--json');
  process.stdout.on('error', (error) => failOnOutput(error, isJson));
  const code = await run(argv, isJson);
  await diagnostics.flushed();
  return code;
}

async function run(argv: string[], isJson: boolean): Promise<number> {
  const context = { exitCode: 0 };
  try {
    const words = expandAliases(argv);
    const program = await createProgram(words, context);
    await program.parseAsync(words, { from: 'user' });
    return context.exitCode;
  } catch (thrown) {
    // Commander has already printed its own text; help and version exit with 0, mistakes with 2.
    if (thrown instanceof CommanderError) return thrown.exitCode === 0 ? 0 : 2;
    const error = asDpcapError(thrown);
    print(error, isJson);
    return error.exitCode;
  }
}

function print(error: DpcapError, isJson: boolean): void {
  diagnostics.write(`${isJson ? JSON.stringify(error.toJSON()) : formatError(error)}\n`);
}

/** A reader of a listing that has seen enough (`| head`) is no failure; a full disk is. What was begun goes on to its end. */
function failOnOutput(cause: Error, isJson: boolean): void {
  if (errnoOf(cause) === 'EPIPE') return;
  const details = { cause, errno: errnoOf(cause), subject: 'standard output', hint: 'send it where there is room' };
  print(new DpcapError('ERR_SYSTEM', 'cannot write to standard output', details), isJson);
  process.once('exit', () => {
    process.exitCode ||= 1;
  });
}
