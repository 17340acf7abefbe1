/** main(argv) parses a command line, runs it and returns the exit code. It prints the errors that commands throw. */
import './system/signals.js';
import { CommanderError } from 'commander';
import type { CommandContext } from './cli/command.js';
import { createProgram, expandAliases } from './cli/program.js';
import { asDpcapError, DpcapError, errnoOf, errorText } from './errors.js';
import { diagnostics } from './system/diagnostics.js';

/**
 * Runs one command line and returns its exit code: 0 done or stopped as asked, 1 failed, 2 usage.
 * @param argv arguments after the program's name
 */
export async function main(argv: string[]): Promise<number> {
  const context: CommandContext = { exitCode: 0, isJson: false };
  process.stdout.on('error', (error) => failOnOutput(error, context));
  const code = await run(argv, context);
  await diagnostics.flushed();
  return code;
}

async function run(argv: string[], context: CommandContext): Promise<number> {
  try {
    const words = expandAliases(argv);
    const program = await createProgram(words, context);
    await program.parseAsync(words, { from: 'user' });
    return context.exitCode;
  } catch (thrown) {
    // Commander has already printed its own text; help and version exit with 0, mistakes with 2.
    if (thrown instanceof CommanderError) return thrown.exitCode === 0 ? 0 : 2;
    const error = asDpcapError(thrown);
    diagnostics.write(errorText(error, context.isJson));
    return error.exitCode;
  }
}

/**
 * It is no failure when the reader of a listing has seen enough (`| head`); a full disk is one. What was begun goes on
 * to its end.
 */
function failOnOutput(cause: Error, context: CommandContext): void {
  if (errnoOf(cause) === 'EPIPE') return;
  const details = { cause, errno: errnoOf(cause), subject: 'standard output', hint: 'send it where there is room' };
  const error = new DpcapError('ERR_SYSTEM', 'cannot write to standard output', details);
  diagnostics.write(errorText(error, context.isJson));
  process.once('exit', () => {
    process.exitCode ||= 1;
  });
}
